"""What the operators of all stages share."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

from airflow.providers.common.compat.sdk import AirflowFailException, BaseOperator

from airflow_provider_flux.errors import FluxError
from airflow_provider_flux.operators.progress import Progress
from airflow_provider_flux.operators.run_context import open_run

if TYPE_CHECKING:
    from airflow_provider_flux.compat import Context
    from airflow_provider_flux.stages.context import RunContext


class FluxOperator(BaseOperator):
    """One stage of a run. The work itself is a plain function in `airflow_provider_flux.stages`.

    :param flow_id: stem of the flow's file in `include/flows`
    """

    template_fields: Sequence[str] = ("flow_id",)
    ui_color = "#e8f0fe"
    stage: ClassVar[str]

    def __init__(self, *, flow_id: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.flow_id = flow_id

    def execute(self, context: Context) -> dict[str, Any]:
        """Do the stage's work and return references and counts, never records.

        :raises FluxError: a transient failure, which Airflow retries
        :raises AirflowFailException: a failure that no retry can mend
        """
        from airflow_provider_flux.stages.trace import facts_of

        facts: Sequence[str] = ()
        try:
            with open_run(self.flow_id, context, Progress(self.log.info)) as run:
                try:
                    return self.work(run)
                except FluxError as error:
                    facts = facts_of(run, self.stage, error)
                    raise
        except FluxError as error:
            failure = error
        # Raised here and not where it was caught, so that the log ends with the message and not with our call stack.
        self._fail(failure, facts)

    @abstractmethod
    def work(self, run: RunContext) -> dict[str, Any]:
        """The stage's work.

        :raises FluxError: when the task fails
        """

    def _fail(self, error: FluxError, facts: Sequence[str] = ()) -> NoReturn:
        from airflow_provider_flux.stages.trace import failure_text

        self.log.error("%s", failure_text(self.flow_id, self.stage, error, facts))
        if error.transient:
            raise error.with_traceback(None)
        raise AirflowFailException(str(error))
