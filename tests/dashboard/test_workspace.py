"""Where cases live: ids, what is kept beside them, and how long."""

from __future__ import annotations

import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd
import pytest

import core
from dashboard import places, workspace
from dashboard.record_file import read_record, update_record

ROOT = Path(__file__).resolve().parents[2]


def test_ids_of_uploaded_cases_cannot_be_guessed_and_files_are_closed_to_others(
    home: Path, small_case: core.Case
) -> None:
    first, second = workspace.store(small_case, "One"), workspace.store(small_case, "Two")
    assert len(first) >= 22
    assert first != second
    assert workspace.case_title(first) == "One"
    assert stat.S_IMODE((home / "cases").stat().st_mode) == 0o700
    assert stat.S_IMODE((home / "cases" / first).stat().st_mode) == 0o700


def test_a_stored_case_comes_back_as_it_was(home: Path, small_case: core.Case) -> None:
    again = workspace.load(workspace.store(small_case, "One"))
    pd.testing.assert_frame_equal(again.train, small_case.train)
    assert again.record_ids.equals(small_case.record_ids)
    assert (again.confirm_mask == small_case.confirm_mask).all()


def test_what_is_written_beside_a_case_adds_up(case_id: str) -> None:
    workspace.write(case_id, {"at": 1})
    workspace.write(case_id, {"metric": "m"})
    assert workspace.read(case_id) == {"name": "Small", "at": 1, "metric": "m"}
    assert {one.name for one in (places.root() / case_id).iterdir()} == {"case", "work.json", ".lock"}


def test_demonstrations_are_the_folders_with_a_case() -> None:
    found = {demo.name: demo for demo in workspace.demos()}
    assert "credit" in found
    assert found["credit"].title
    assert "12,000" in found["credit"].about
    copy = workspace.demo_id(found["credit"])
    assert copy.startswith("a-biased-branch~")
    assert workspace.demo_of("credit") == found["credit"]
    assert workspace.demo_of(copy) == found["credit"]
    assert workspace.demo_of("nothing~abcd") is None


@pytest.mark.parametrize("record", ["{", "[]", "\x00\xff", "[" * 100_000, '{"looks": [1, ["a"]]}', ""])
def test_a_damaged_record_breaks_nothing_and_is_kept(home: Path, case_id: str, record: str) -> None:
    path = home / "cases" / case_id / "work.json"
    path.write_text(record, encoding="latin-1")
    assert workspace.saved() == [case_id]
    assert workspace.case_title(case_id) == "Uploaded case"
    assert len(workspace.load(case_id).looks) == 0
    damaged = workspace.is_damaged(case_id)
    assert damaged == (not record.startswith("{") or record == "{")
    workspace.write(case_id, {"name": "Again"})
    assert workspace.read(case_id)["name"] == "Again"
    aside = list(path.parent.glob("damaged-*.json"))
    assert [one.read_text(encoding="latin-1") for one in aside] == ([record] if damaged else [])


ADD = """
import sys
from pathlib import Path
from dashboard.record_file import update_record
for i in range(100):
    update_record(Path(sys.argv[1]), lambda kept: {"n": kept.get("n", 0) + 1})
"""


def test_writers_in_threads_and_processes_take_turns(tmp_path: Path) -> None:
    others = [subprocess.Popen([sys.executable, "-c", ADD, str(tmp_path)], cwd=ROOT) for _ in range(2)]
    with ThreadPoolExecutor(4) as pool:
        for _ in range(100):
            pool.submit(update_record, tmp_path, lambda kept: {"n": kept.get("n", 0) + 1})
    assert [other.wait(60) for other in others] == [0, 0]
    assert read_record(tmp_path) == {"n": 300}
    assert {path.name for path in tmp_path.iterdir()} == {"work.json", ".lock"}
