"""Staged files: sealed, checked, and never half there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from airflow_provider_flux.errors import FluxError
from airflow_provider_flux.stages.records import ReadRecord
from airflow_provider_flux.staging import StageFiles, open_staging, slices


def _files(folder: Path) -> StageFiles:
    files = open_staging(str(folder)).files("contacts", "manual__2026-01-01T00:00:00+00:00", "read", 0)
    files.start()
    return files


def _records(count: int) -> list[ReadRecord]:
    return [ReadRecord({"id": number, "name": "Zoë"}, str(number), None) for number in range(count)]


def test_what_was_sealed_is_read_back(tmp_path: Path) -> None:
    files = _files(tmp_path)
    files.add(_records(3), first=0)
    files.add(_records(2), first=3)
    sealed = files.seal(slice_size=2)

    manifest = files.manifest(sealed.sha256)
    assert manifest.records == 5
    assert [entry.first for entry in manifest.batches] == [0, 3]
    assert files.load(manifest.batches[0], ReadRecord) == _records(3)


def test_an_unsealed_stage_is_refused(tmp_path: Path) -> None:
    files = _files(tmp_path)
    files.add(_records(3))
    with pytest.raises(FluxError, match="no sealed manifest") as caught:
        files.manifest("anything")
    assert caught.value.code == "STAGING_UNSEALED"


def test_starting_again_takes_the_seal_away(tmp_path: Path) -> None:
    files = _files(tmp_path)
    files.add(_records(3))
    sealed = files.seal()
    files.start()
    with pytest.raises(FluxError, match="no sealed manifest"):
        files.manifest(sealed.sha256)


def test_a_changed_file_is_noticed(tmp_path: Path) -> None:
    files = _files(tmp_path)
    files.add(_records(3))
    sealed = files.seal()
    [path] = tmp_path.rglob("000000.jsonl.zst")
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(FluxError, match="was changed after it was sealed"):
        files.load(sealed.batches[0], ReadRecord)


def test_a_missing_file_is_noticed(tmp_path: Path) -> None:
    files = _files(tmp_path)
    files.add(_records(3))
    sealed = files.seal()
    next(iter(tmp_path.rglob("000000.jsonl.zst"))).unlink()
    with pytest.raises(FluxError, match="is missing"):
        files.load(sealed.batches[0], ReadRecord)


def test_another_manifest_than_the_sealed_one_is_refused(tmp_path: Path) -> None:
    files = _files(tmp_path)
    files.add(_records(3))
    first = files.seal()
    files.start()
    files.add(_records(4))
    files.seal()
    with pytest.raises(FluxError, match="is not the one that was sealed"):
        files.manifest(first.sha256)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(FluxError, match=r"file") as caught:
        open_staging(str(tmp_path / "file" / "staging"))
    assert caught.value.code == "STAGING_FAILED"
    assert caught.value.transient


def test_a_full_disk_is_a_transient_error_that_names_the_folder() -> None:
    # /dev/full answers every write with ENOSPC, as a full disk does.
    if not os.path.exists("/dev/full"):
        pytest.skip("no /dev/full on this system")
    files = StageFiles(_FullDisk(Path("/dev")))
    with pytest.raises(FluxError, match="No space left on device") as caught:
        files.add(_records(3))
    assert caught.value.code == "STAGING_FAILED"


class _FullDisk:
    """A folder in which every file is /dev/full."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __truediv__(self, name: str) -> Path:
        return self._folder / "full"


def test_only_the_owner_may_look_into_a_run(tmp_path: Path) -> None:
    _files(tmp_path / "staging")
    assert (tmp_path / "staging").stat().st_mode & 0o777 == 0o700


def test_slices_keep_every_line() -> None:
    lines = b"".join(b"%d\n" % number for number in range(7))
    assert [part.count(b"\n") for part in slices(lines, 3)] == [3, 3, 1]
    assert b"".join(slices(lines, 3)) == lines


def test_object_storage_works_like_a_folder() -> None:
    files = open_staging("memory://flux").files("contacts", "run", "read", 0)
    files.start()
    files.add(_records(3))
    sealed = files.seal()
    assert files.load(files.manifest(sealed.sha256).batches[0], ReadRecord) == _records(3)
