"""A rewriting that fails, or is killed, at any change of the disk leaves the old case or the new one."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

import core
from core.errors import InputError
from core.files.cases import rewriting
from tests.disk import FULL, READ_ONLY, Disk, KilledError
from tests.files.cases.test_placing import Files, cases, files, held, put

__all__ = ["cases", "files"]


@pytest.mark.skipif(not hasattr(os, "posix_fadvise"), reason="folders change names in one step on Linux alone")
@pytest.mark.parametrize("failure", [FULL, READ_ONLY, None])
def test_a_case_is_rewritten_whole_or_not_at_all(
    failure: int | None,
    cases: tuple[core.Case, core.Case],
    files: tuple[Files, Files],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is read back before the folders change names is looked at by tests of its own."""
    old, new = files
    monkeypatch.setattr(rewriting, "load_case", lambda folder: folder)
    monkeypatch.setattr(rewriting, "_is_same", lambda *_: True)
    monkeypatch.setattr(rewriting, "save_case", lambda _, folder: put(new, folder))
    saved, states, disk = put(old, tmp_path / "old" / "case"), [], None
    while disk is None or disk.failed:
        folder = Path(shutil.copytree(saved, tmp_path / f"after {len(states)}" / "case"))
        told = ""
        with monkeypatch.context() as patch:
            disk = Disk(patch, folder.parent, failure, len(states))
            try:
                rewriting._rewrite(cases[1], folder)
            except (InputError, KilledError) as error:
                told = str(error)
        states.append(held(folder))
        assert states[-1] in (old[0], new[0])
        if failure is not None and told:
            assert ("as it was" in told) == (states[-1] == old[0])
            assert states[-1] == old[0] or "must be deleted once its case is rewritten" in told
        rewriting._rewrite(cases[1], folder)
        assert [one.name for one in folder.parent.iterdir()] == ["case"], (
            "what a killed one left is deleted by the next"
        )
    assert states == sorted(states, key=[old[0], new[0]].index)
    assert (states[0], states[-1]) == (old[0], new[0])
    assert len(states) > 20
