"""Batches on their way from one stage to the next: compressed JSON lines in files, sealed by a manifest.

A batch is written as `.part` and renamed when complete; the manifest is written last and names every batch with its
SHA-256. A stage reads only what is sealed, and notices a file that is missing or was changed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote, unquote

import msgspec
import zstandard

from airflow_provider_flux.errors import FluxError

T = TypeVar("T")

_MANIFEST = "manifest.json"
_encoder = msgspec.json.Encoder()
# zstd level 1 costs about a third of a microsecond per record and shrinks SaaS records tenfold.
_ZSTD_LEVEL = 1


class BatchEntry(msgspec.Struct, frozen=True):
    """One batch in a manifest.

    :param first: ordinal of its first record (read) or 0
    """

    name: str
    records: int
    first: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True):
    """What a stage left behind, complete.

    :param slice_size: how many records the write stage puts into one write (transform only)
    """

    batches: tuple[BatchEntry, ...]
    records: int
    slice_size: int = 0

    @property
    def sha256(self) -> str:
        """Identity of the content: of the batches' own hashes, in order."""
        digest = hashlib.sha256()
        for entry in self.batches:
            digest.update(f"{entry.name} {entry.records} {entry.sha256}\n".encode())
        return digest.hexdigest()


class StageFiles:
    """The files of one stage of one run in one epoch.

    :param renames: whether a file appears by renaming (a file system); an object store shows whole objects only
    """

    def __init__(self, folder: Any, *, renames: bool = True) -> None:
        self._folder = folder
        self._renames = renames
        self._entries: list[BatchEntry] = []

    def start(self) -> None:
        """Begin anew: an earlier attempt's manifest no longer holds."""
        with _staging_errors(self._folder):
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            (self._folder / _MANIFEST).unlink(missing_ok=True)
        self._entries = []

    def add(self, records: Sequence[Any], first: int = 0) -> BatchEntry:
        """Write one batch of msgspec structs."""
        data = zstandard.ZstdCompressor(level=_ZSTD_LEVEL).compress(_encoder.encode_lines(records))
        entry = BatchEntry(
            name=f"{len(self._entries):06d}.jsonl.zst",
            records=len(records),
            first=first,
            sha256=hashlib.sha256(data).hexdigest(),
        )
        self._write(entry.name, data)
        self._entries.append(entry)
        return entry

    def seal(self, slice_size: int = 0) -> Manifest:
        """Write the manifest: from now on other stages may read."""
        manifest = Manifest(tuple(self._entries), sum(entry.records for entry in self._entries), slice_size)
        self._write(_MANIFEST, _encoder.encode(manifest))
        return manifest

    def manifest(self, sha256: str | None = None) -> Manifest:
        """The sealed manifest.

        :param sha256: what the store noted when the stage was sealed, where it noted it
        :raises FluxError: STAGING_UNSEALED when there is none, or another one
        """
        try:
            with _staging_errors(self._folder):
                manifest = msgspec.json.decode((self._folder / _MANIFEST).read_bytes(), type=Manifest)
        except (FileNotFoundError, msgspec.MsgspecError):
            raise FluxError("STAGING_UNSEALED", f"{self._folder} holds no sealed manifest") from None
        if sha256 is not None and manifest.sha256 != sha256:
            raise FluxError("STAGING_UNSEALED", f"the manifest in {self._folder} is not the one that was sealed")
        return manifest

    def load(self, entry: BatchEntry, kind: type[T]) -> list[T]:
        """The records of a batch.

        :raises FluxError: STAGING_UNSEALED when the file is missing or was changed
        """
        decoder = msgspec.json.Decoder(kind)
        return decoder.decode_lines(self.read(entry))

    def read(self, entry: BatchEntry) -> bytes:
        """The JSON lines of a batch, checked against the manifest.

        :raises FluxError: STAGING_UNSEALED when the file is missing or was changed
        """
        path = self._folder / entry.name
        try:
            with _staging_errors(path):
                data = path.read_bytes()
        except FileNotFoundError:
            raise FluxError("STAGING_UNSEALED", f"{path} is missing") from None
        if hashlib.sha256(data).hexdigest() != entry.sha256:
            raise FluxError("STAGING_UNSEALED", f"{path} was changed after it was sealed")
        return zstandard.ZstdDecompressor().decompress(data)

    def _write(self, name: str, data: bytes) -> None:
        path = self._folder / name
        with _staging_errors(self._folder):
            if not self._renames:
                path.write_bytes(data)
                return
            part = self._folder / f"{name}.part"
            part.write_bytes(data)
            part.replace(path)


class Staging:
    """The staging area: a local folder, or whatever fsspec opens (`s3://...`)."""

    def __init__(self, root: Any, *, renames: bool) -> None:
        self._root = root
        self._renames = renames

    def files(self, flow: str, run_id: str, stage: str, epoch: int) -> StageFiles:
        """The files of one stage; run ids hold characters that file names must not."""
        return StageFiles(self._run_folder(flow, run_id) / f"{stage}-{epoch}", renames=self._renames)

    def runs(self) -> Iterator[tuple[str, str]]:
        """Flow and run id of every run that has files, sorted by flow."""
        for flow in _folders(self._root):
            for run in _folders(flow):
                yield unquote(flow.name), unquote(run.name)

    def changed_at(self, flow: str, run_id: str) -> datetime | None:
        """When the newest file of a run was written; None where it has none."""
        with _staging_errors(self._root):
            files = [file for stage in _folders(self._run_folder(flow, run_id)) for file in stage.iterdir()]
            newest = max((file.stat().st_mtime for file in files), default=None)
        return None if newest is None else datetime.fromtimestamp(newest, UTC)

    def remove(self, flow: str, run_id: str) -> None:
        """Remove the files of a run. What is interrupted leaves no stage sealed that lacks a file.

        :raises FluxError: STAGING_FAILED
        """
        folder = self._run_folder(flow, run_id)
        with _staging_errors(folder):
            for stage in _folders(folder):
                (stage / _MANIFEST).unlink(missing_ok=True)
                for file in list(stage.iterdir()):
                    file.unlink(missing_ok=True)
                self._remove_empty(stage)
            self._remove_empty(folder)

    def _run_folder(self, flow: str, run_id: str) -> Any:
        return self._root / quote(flow, safe="") / quote(run_id, safe="")

    def _remove_empty(self, folder: Any) -> None:
        # In an object store a folder is gone with its last object.
        if self._renames and folder.exists():
            folder.rmdir()


def open_staging(location: str) -> Staging:
    """Open `[flux] staging`.

    :raises FluxError: STAGING_FAILED when the folder cannot be made
    """
    remote = "://" in location
    root: Any = Path(location).expanduser()
    if remote:
        from upath import UPath  # fsspec is only loaded where it is used

        root = UPath(location)
    with _staging_errors(root):
        root.mkdir(parents=True, exist_ok=True, mode=0o700)
    return Staging(root, renames=not remote)


def _folders(folder: Any) -> list[Any]:
    with _staging_errors(folder):
        if not folder.is_dir():
            return []
        return sorted((entry for entry in folder.iterdir() if entry.is_dir()), key=lambda entry: str(entry.name))


class _staging_errors:
    """Turn what a file system raises into an error of ours, except for a file that is not there."""

    def __init__(self, path: Any) -> None:
        self._path = path

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, OSError) and not isinstance(error, FileNotFoundError):
            reason = error.strerror or type(error).__name__
            raise FluxError("STAGING_FAILED", f"{self._path}: {reason}") from error


def slices(lines: bytes, size: int) -> Iterator[bytes]:
    """Cut JSON lines into runs of `size` lines."""
    parts = lines.splitlines(keepends=True)
    for start in range(0, len(parts), size):
        yield b"".join(parts[start : start + size])
