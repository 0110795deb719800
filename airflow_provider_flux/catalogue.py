"""The one table of error codes: what each means, where it arises, and what happens next.

A connector adds rows that recognise its vendor's answers (see `transport.classify`), it never adds a branch.
`docs/errors.md` is printed from this table. Everything imports it, through `errors`, and it imports nothing of ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Stage(StrEnum):
    """The stage of a run in which an error happened."""

    READ = "read"
    TRANSFORM = "transform"
    WRITE = "write"
    SETTLE = "settle"


class Category(StrEnum):
    """What kind of trouble it is, for grouping and for metrics."""

    CONNECTION = "connection"
    DATA = "data"
    MAPPING = "mapping"
    CONFIGURATION = "configuration"
    INTERNAL = "internal"
    UNKNOWN = "unknown"


class Disposition(StrEnum):
    """What happens next."""

    RETRY = "retry"  # transient: the same call may succeed later
    FIX = "fix"  # this record can never succeed as it is: a person mends the data or the mapping
    HOLD = "hold"  # nobody but a person may decide: never resent by a machine
    STOP = "stop"  # nothing of this run can succeed: fail the task, do not retry it


@dataclass(frozen=True)
class ErrorCode:
    """One row of the catalogue.

    :param stages: where in a run it arises
    :param solution: what to do first, in one sentence; the next step of an error that names none of its own
    :param advice: what else helps, or where to look, for who reads on
    """

    code: str
    title: str
    category: Category
    stages: tuple[Stage, ...]
    disposition: Disposition
    meaning: str
    cause: str
    solution: str
    advice: tuple[str, ...] = ()


_C, _D = Category, Disposition
_READ, _TRANSFORM, _WRITE, _SETTLE = (Stage.READ,), (Stage.TRANSFORM,), (Stage.WRITE,), (Stage.SETTLE,)
_SYSTEMS = (Stage.READ, Stage.WRITE)  # where another system answers
_JUDGED = (Stage.TRANSFORM, Stage.WRITE)  # where single records are judged
_RECORD = (Stage.READ, Stage.TRANSFORM, Stage.WRITE)
_ANY = (*_RECORD, Stage.SETTLE)

_ROWS = (
    # --- connection -----------------------------------------------------------------------------
    ErrorCode(
        "AUTHENTICATION_FAILED", "Authentication failed", _C.CONNECTION, _SYSTEMS, _D.STOP,
        "The system did not accept the credentials (HTTP 401).",
        "The key or token is wrong, expired, revoked, or not active yet.",
        "Put a valid key into the Airflow connection, then clear the failed task.",
        (
            "An API key or token goes into the field `password` of the connection, without `Bearer` before it.",
            "Look in the system's settings whether the key is active; some need the project to be redeployed after a"
            " new key was made.",
            "A login through OAuth that expired or was revoked must be granted anew: `airflow-flux connectors"
            " reconnect`.",
            "Still refused with a new key: the system may have revoked the app or paused the account; its"
            " administration page says so.",
        ),
    ),
    ErrorCode(
        "PERMISSION_DENIED", "Permission denied", _C.CONNECTION, _SYSTEMS, _D.STOP,
        "The credentials are known but may not do this (HTTP 403).",
        "A scope, role or project is missing for this key.",
        "Grant the missing permission in the system, or use a key that has it, then clear the failed task.",
        (
            "Reconnect with the scopes that this object needs; a scope may have been removed in the system.",
            "Where the system tells projects apart by a header (`x-project-id`), it must name the project that owns"
            " what is called, and the key must belong to that project.",
        ),
    ),
    ErrorCode(
        "CONNECTION_TIMEOUT", "Connection timeout", _C.CONNECTION, _SYSTEMS, _D.RETRY,
        "The system did not answer in time, or could not be reached.",
        "The system is down or slow, or the host, port or network is wrong.",
        "Check the host and port of the connection and the system's status page; the task retries by itself.",
        ("A system that is slow but well needs more time: `timeout` in the flow or in the connection.",),
    ),
    ErrorCode(
        "RATE_LIMIT_EXCEEDED", "Rate limit exceeded", _C.CONNECTION, _SYSTEMS, _D.RETRY,
        "The system refuses more calls for now (HTTP 429).",
        "Too many calls in a short time, from this flow or from others on the same account.",
        "Run the flow less often, read fewer records per tick, or ask for a higher limit; the task retries by itself.",
        (
            "Read what changed instead of everything: `cursor` and `incremental` (`updated_since`) in the source.",
            "Stagger flows that share a system: do not start five of them on the same minute.",
            "Write in batches, where the system has them; lower `in_flight`.",
            "Name the system's limit in the field `limit` of the connection, as `100/10s`: all flows on it then keep it"
            " together, without a throttle.",
            "Every throttle is a line of the task's log with status, endpoint, wait and what is left of the quota.",
        ),
    ),
    ErrorCode(
        "QUOTA_EXHAUSTED", "Quota exhausted", _C.CONNECTION, _SYSTEMS, _D.STOP,
        "The system allows no more calls today (or this month): waiting for seconds does not help.",
        "The account's daily allocation is used up, by this flow or by others.",
        "Wait until the quota starts anew (the answer may say when); the next tick goes on where this one stopped.",
        (
            "HubSpot: midnight in the account's time zone. Salesforce: a rolling 24 hours. Pipedrive: midnight.",
            "Run the flow less often, write in batches, or ask the vendor for a higher quota.",
        ),
    ),
    ErrorCode(
        "SOURCE_OUTAGE", "Source outage", _C.CONNECTION, _READ, _D.RETRY,
        "The source answers with server errors or not with data at all.",
        "The source system is down or in maintenance.",
        "Check the source's status page; the task retries by itself and nothing read so far is lost.",
        ("If it lasts, contact the support of the system with the answer kept in the run.",),
    ),
    ErrorCode(
        "DESTINATION_OUTAGE", "Destination outage", _C.CONNECTION, _WRITE, _D.RETRY,
        "The destination answers with server errors; several batches in a row failed alike.",
        "The destination system is down or in maintenance.",
        "Check the destination's status page; the task retries by itself and sends only what was not acknowledged.",
        ("If it lasts, contact the support of the system with the answer kept in the run.",),
    ),
    ErrorCode(
        "NOT_FOUND", "Endpoint or object not found", _C.CONFIGURATION, _SYSTEMS, _D.STOP,
        "The path, table or object does not exist (HTTP 404, unknown table).",
        "The flow names a wrong path or object, or it was removed or not deployed.",
        "Correct the path or object in the flow file, or create it in the system.",
        (
            "Compare host, path and ids (project, flow, object) with what the system's own page shows.",
            "What was only saved may have to be deployed before it can be called; use the id of what is deployed.",
        ),
    ),
    ErrorCode(
        "BAD_REQUEST", "Request refused", _C.CONFIGURATION, _SYSTEMS, _D.STOP,
        "The system refused the whole request, not a record of it.",
        "The flow sends a parameter or a body that this system does not understand.",
        "Compare the request in the answer below with the system's API reference and correct the flow.",
    ),
    ErrorCode(
        "PAYLOAD_MISMATCH", "Payload does not fit", _C.CONFIGURATION, _SYSTEMS, _D.STOP,
        "The payload, the query or its variables do not fit what the other system declares.",
        "Field names or types differ from the input schema of the flow or query that is called.",
        "Compare the request with the schema of the system's input, and correct the mapping or the flow.",
        ("The schema stands where the system shows the trigger or input of what is called, or in its API explorer.",),
    ),
    ErrorCode(
        "UNREADABLE_ANSWER", "Unreadable answer", _C.CONNECTION, _SYSTEMS, _D.RETRY,
        "The answer is not what was declared: cut off, HTML instead of JSON, or another shape.",
        "A proxy or maintenance page answered, the answer was cut off, or the records path is wrong.",
        "Look at the answer kept with the error; if it is the system's real shape, correct `records` in the flow.",
    ),
    ErrorCode(
        "CONNECTION_INVALID", "Connection not usable", _C.CONFIGURATION, _SYSTEMS, _D.STOP,
        "The Airflow connection is missing, or one of its fields is missing or wrong.",
        "The connection was never created, has another id, or a field was left empty.",
        "Create or correct the connection that the message names.",
    ),
    ErrorCode(
        "CONNECTION_DISABLED", "Connection switched off", _C.CONFIGURATION, _SYSTEMS, _D.STOP,
        "A person switched this connection off; no call is made through it.",
        "Somebody used `airflow-flux connectors disable`, for maintenance or to protect an account.",
        "Switch it on again with `airflow-flux connectors enable`; the next tick resumes.",
    ),
    # --- data -----------------------------------------------------------------------------------
    ErrorCode(
        "KEY_MISSING", "Record without a key", _C.DATA, _READ, _D.FIX,
        "The source record has no value in its key field, so it cannot be matched.",
        "The source holds a row without an id.",
        "Give the record a key in the source; it is read again with the next change.",
    ),
    ErrorCode(
        "REQUIRED_FIELD_MISSING", "Required field missing", _C.DATA, _JUDGED, _D.FIX,
        "A field that the mapping or the destination requires has no value.",
        "The source record lacks the value.",
        "Add a `default` to the rule, make it optional, or fill the field in the source; then retry the record.",
        (
            "Make the rule non-required by leaving `required` out, if the destination does without the field.",
            "Filter records without the value from the sync: `filter: record.email` in the flow.",
        ),
    ),
    ErrorCode(
        "INVALID_FORMAT", "Invalid format", _C.DATA, _RECORD, _D.FIX,
        "The value does not have the form or type that the field needs.",
        "Free text or another type in the source.",
        "Add a transform or `skip_invalid: true` to the rule, or mend the value in the source; then retry the record.",
        (
            "Phone numbers: `phone_e164` with the country of numbers written without one; dates: `date_iso`;"
            " numbers: `number`; yes and no: `boolean`.",
            "`skip_invalid: true` delivers the record without the value.",
        ),
    ),
    ErrorCode(
        "INVALID_EMAIL", "Invalid email", _C.DATA, _JUDGED, _D.FIX,
        "The value is not an e-mail address.",
        "A typing error or free text in the source.",
        "Mend the address in the source, or set `skip_invalid: true` on the rule; then retry the record.",
        ("Validate addresses with the transform `email`, before the destination refuses them.",),
    ),
    ErrorCode(
        "VALUE_TOO_LONG", "Value too long", _C.DATA, _JUDGED, _D.FIX,
        "The value is longer than the destination's field.",
        "The source allows more characters than the destination.",
        "Add `truncate` to the rule, or shorten the value in the source; then retry the record.",
    ),
    ErrorCode(
        "VALUE_OUT_OF_RANGE", "Value out of range", _C.DATA, _RECORD, _D.FIX,
        "The number is larger or smaller than the destination's field can hold.",
        "A wrong number in the source, or too small a type in the destination.",
        "Mend the number in the source or widen the field in the destination; then retry the record.",
    ),
    ErrorCode(
        "INVALID_ENCODING", "Unreadable characters", _C.DATA, _RECORD, _D.FIX,
        "The value holds bytes or characters that cannot be stored: invalid UTF-8, NUL, or NaN.",
        "The source stored broken text or a number that is not one.",
        "Mend the value in the source, or remove the characters with `replace`; then retry the record.",
    ),
    ErrorCode(
        "DUPLICATE_RECORD", "Duplicate record", _C.DATA, _WRITE, _D.FIX,
        "The destination already has another record with this unique value.",
        "Two source records share a value that must be unique, or the flow creates what exists.",
        "Use `mode: upsert` with the right `key`, or merge the duplicates in the source; then retry the record.",
        (
            "Improve the matching: `key` should name the field by which the destination tells records apart.",
            "Check for duplicate source records: two of them with one e-mail address, for example.",
        ),
    ),
    ErrorCode(
        "REFERENCE_MISSING", "Referenced record missing", _C.DATA, _WRITE, _D.FIX,
        "The record points to another one that the destination does not have.",
        "The other record was not delivered yet, or was deleted.",
        "Deliver the referenced record first; then retry this one.",
    ),
    ErrorCode(
        "CONSTRAINT_VIOLATED", "Constraint violated", _C.DATA, _WRITE, _D.FIX,
        "A rule of the destination forbids this value.",
        "A check constraint or validation rule in the destination.",
        "Read the destination's answer below, then mend the value or the rule; then retry the record.",
    ),
    ErrorCode(
        "RECORD_LOCKED", "Record locked", _C.DATA, _WRITE, _D.RETRY,
        "Somebody else is changing the record, or one that belongs to it, at this moment.",
        "Two writers at once: another flow, an automation in the destination, or a person.",
        "Nothing, if the flow has `strategy: retry`; else retry the record. If it happens often, lower `in_flight`.",
    ),
    ErrorCode(
        "RECORD_NOT_FOUND", "Record not found", _C.DATA, _WRITE, _D.FIX,
        "The record to update does not exist in the destination.",
        "It was deleted there, or never created.",
        "Use `mode: upsert`, or create the record; then retry it.",
        (
            "`mode: upsert` creates what is missing.",
            "Ignore delete events from the source: `deletes: ignore`.",
            "Check for out-of-order operations: a change that comes after the delete of its record.",
            "Where an upsert gets this answer for every record, the path in the flow is wrong.",
        ),
    ),
    ErrorCode(
        "RECORD_REJECTED", "Record rejected", _C.DATA, _WRITE, _D.FIX,
        "The destination refused this record for a reason that Flux does not know by name.",
        "See the destination's own answer, kept with the error.",
        "Mend the record as the answer says; then retry it.",
        ("A row in `errors` of the flow gives such an answer a name for the next time.",),
    ),
    ErrorCode(
        "OUTCOME_UNKNOWN", "Outcome unknown", _C.DATA, _WRITE, _D.HOLD,
        "The record was sent, but whether it was stored cannot be known.",
        "The worker or the network died between sending and the answer,"
        " and the destination has neither upsert nor a key to look up.",
        "Look in the destination whether the record is there: approve the error to send it again, or discard it.",
    ),
    ErrorCode(
        "PAYLOAD_MAY_BE_OLD", "Stored payload may be old", _C.DATA, _WRITE, _D.FIX,
        "A replay did not send the stored payload, because it might overwrite newer data.",
        "The source gives its records no version, and this key was delivered after the payload had been read.",
        "See what the destination has, then discard the error, or retry it with `--payload source` or `--force`.",
    ),
    ErrorCode(
        "SOURCE_RECORD_GONE", "Source record gone", _C.DATA, _RECORD, _D.FIX,
        "A replay asked the source for the record again, and the source does not have it any more.",
        "It was deleted in the source after it had failed.",
        "Discard the error, or retry it with its stored payload (`--payload stored`).",
    ),
    ErrorCode(
        "STOPPED_AT_FIRST_ERROR", "Stopped at the first error", _C.DATA, _JUDGED, _D.STOP,
        "The flow says `fail_fast`, and a record failed: nothing after it was written.",
        "See the error of the record that the message names.",
        "Mend that error, then clear the failed task or start the flow by hand: what was written is not written twice.",
    ),
    ErrorCode(
        "WAITING_FOR_A_PERSON", "Flow waits for a person", _C.DATA, _READ, _D.STOP,
        "The flow says `fail_fast`, and an earlier run stopped at an error that is still open.",
        "See that error; scheduled runs begin again when it is gone.",
        "Mend the error and clear the failed task of the run that stopped, or retry or discard the error.",
    ),
    ErrorCode(
        "TOO_MANY_FAILED", "Too many records failed", _C.DATA, _SETTLE, _D.STOP,
        "More records failed than the flow's `errors.fail_run_when` allows for a green run.",
        "See the errors by frequency.",
        "Mend the commonest error first, then replay the failed records of the run.",
    ),
    # --- mapping --------------------------------------------------------------------------------
    ErrorCode(
        "FIELD_NOT_FOUND", "Field not found", _C.MAPPING, _RECORD, _D.FIX,
        "A rule reads a field that the source does not have, or writes one that the destination does not have.",
        "The field was renamed or removed, or the rule is misspelt.",
        "Correct the rule in a new mapping version; then retry the record.",
        ("Compare the mapping with the fields that the system has now.",),
    ),
    ErrorCode(
        "TRANSFORM_FAILED", "Transform failed", _C.MAPPING, _TRANSFORM, _D.FIX,
        "A transform or an expression could not handle the value.",
        "The value has another form than the rule expects.",
        "Correct the rule in a new mapping version, or mend the value in the source; then retry the record.",
        ("`airflow-flux test FLOW` shows what the rule makes of a few real records and writes nothing.",),
    ),
    ErrorCode(
        "OBJECT_TYPE_CHANGED", "Object type changed", _C.MAPPING, _SYSTEMS, _D.FIX,
        "A field or an object has another type than before, in the source or in the destination.",
        "The schema of the object was changed in the external system.",
        "Look at the field in the system, correct the rule in a new mapping version; then retry the record.",
        ("Test the connection, so that its fields are read anew, then compare the mapping with them.",),
    ),
    # --- our own --------------------------------------------------------------------------------
    ErrorCode(
        "CONFIG_INVALID", "Invalid configuration", _C.CONFIGURATION, _ANY, _D.STOP,
        "A flow, mapping or connector file, or a setting of Flux, is not valid.",
        "A misspelt key or a value that is not allowed.",
        "Run `airflow-flux check`; it names each problem with its file, line and column.",
    ),
    ErrorCode(
        "STAGING_FAILED", "Staging not writable", _C.INTERNAL, _ANY, _D.RETRY,
        "A batch could not be written to, or read from, the staging folder.",
        "The disk is full, the folder is not writable, or it was emptied.",
        "Free space or correct `[flux] staging`, then clear the failed task; nothing was lost.",
    ),
    ErrorCode(
        "STAGING_UNSEALED", "Input of the stage is missing", _C.INTERNAL, (*_JUDGED, Stage.SETTLE), _D.STOP,
        "The files that the stage before should have left are missing, incomplete or changed.",
        "The stage before did not finish, or its staging files were removed or altered.",
        "Clear the run from its read task, so that the files are made anew.",
    ),
    ErrorCode(
        "STORE_UNAVAILABLE", "Store not available", _C.INTERNAL, _ANY, _D.RETRY,
        "The store of Flux cannot be reached or is locked by another process.",
        "The database is down, locked for too long, or the URL is wrong.",
        "Check `[flux] store`; the task retries by itself and re-sends nothing that was acknowledged.",
    ),
    ErrorCode(
        "STORE_VERSION", "Store has another version", _C.INTERNAL, _ANY, _D.STOP,
        "The tables of the store do not fit this version of Flux.",
        "Flux was upgraded or downgraded without migrating its store.",
        "Run `airflow-flux db upgrade` with the newest Flux that uses this store.",
    ),
    ErrorCode(
        "WORKER_DIED", "Worker died", _C.INTERNAL, _RECORD, _D.RETRY,
        "The task stopped without a word.",
        "The worker was killed, ran out of memory, or its machine went away.",
        "Look for the cause in the task's log and the worker's machine,"
        " then clear the failed task; nothing is sent twice.",
    ),
    ErrorCode(
        "STAGE_NOT_RUN", "Stage not run", _C.INTERNAL, _RECORD, _D.STOP,
        "A task of the run ended before its stage began.",
        "The task was skipped or marked by hand, or its code could not be loaded.",
        "Read the task's log in Airflow, mend the cause, then clear the task.",
    ),
    ErrorCode(
        "ACCOUNTING_MISMATCH", "The sums do not hold", _C.INTERNAL, _SETTLE, _D.STOP,
        "The records read and the outcomes recorded differ.",
        "A fault in Flux, or its store or staging was changed by hand.",
        "Keep the run as it is and report it with `airflow-flux show RUN --json`; the cursor has not moved.",
    ),
    ErrorCode(
        "UNKNOWN", "Unknown error", _C.UNKNOWN, _SYSTEMS, _D.FIX,
        "Flux does not know this answer.",
        "See the raw answer kept with the error.",
        "Act on the answer; a row in the connector's error table gives it a name for the next time.",
    ),
)

CATALOGUE: dict[str, ErrorCode] = {row.code: row for row in _ROWS}
