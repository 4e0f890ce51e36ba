"""The change as code: the script runs, and fails where the change is another one."""

from __future__ import annotations

import io
import json
import runpy
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

import core
from core.errors import InputError
from core.take_away.script import RedoStep, change_as_code

ROOT = Path(__file__).resolve().parents[2]
GAP = "equal_opportunity_difference"


def run(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "redo.py"],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT), "HOME": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_script_redoes_the_change_and_checks_the_gap(
    tmp_path: Path, small_case: core.Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    harmful = core.harmful(core.influence(core.prepare(small_case), GAP, sensitive_feature="sex")).tolist()
    first, second = harmful[:15], harmful[20:22]
    opened = small_case.with_threshold(0.4)
    relabelled, weighed = harmful[30:40], harmful[40:45]
    now = core.refit(core.unlearn(core.unlearn(opened, first).case, second).case).case
    now = core.edit(now, dict.fromkeys(relabelled, 1)).case
    now = core.edit(now, reweight=dict.fromkeys(weighed, 2.5)).case
    changes = [
        *(RedoStep("unlearn", first), RedoStep("unlearn", second), RedoStep("refit")),
        *(RedoStep("relabel", relabelled, value=np.int64(1)), RedoStep("reweigh", weighed, value=2.5)),
    ]
    data = change_as_code(opened, now, changes, GAP, "sex")
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        archive.extractall(tmp_path)
    done = run(tmp_path)
    assert done.returncode == 0, done.stderr
    assert "with 17 records removed" in done.stdout
    script, ids = tmp_path / "redo.py", tmp_path / "removed_1.json"
    text = script.read_text("utf-8")
    (tmp_path / "removed_2.json").write_text(ids.read_text("utf-8"), "utf-8")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="Removed already"):
        runpy.run_path(str(script))
    (tmp_path / "removed_2.json").write_text(json.dumps(second), "utf-8")
    ids.write_text(json.dumps(harmful[-15:]), "utf-8")
    with pytest.raises(AssertionError) as other:
        runpy.run_path(str(script))
    assert "abs(gap(case) - " in str(other.traceback[-1].statement), "other records give another gap"
    script.write_text(text.replace("case = core.unlearn", "core.unlearn"), "utf-8")
    with pytest.raises(AssertionError) as fewer:
        runpy.run_path(str(script))
    assert "len(case.forgotten_ids) == 17" in str(fewer.traceback[-1].statement)


def test_ids_that_no_file_holds_are_refused(small_case: core.Case) -> None:
    with pytest.raises(InputError, match="text or numbers"):
        change_as_code(small_case, small_case, [RedoStep("unlearn", [(1, 2)])], GAP, "sex")
    with pytest.raises(InputError, match="kind"):
        change_as_code(small_case, small_case, [RedoStep("rename")], GAP, "sex")
