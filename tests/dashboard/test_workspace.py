"""Where cases live: ids, what is kept beside them, and how long."""

from __future__ import annotations

import os
import stat
import time
from pathlib import Path

import pandas as pd
import pytest

import core
from dashboard import workspace
from dashboard.history import Step
from dashboard.work import Work


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
    assert not list((workspace.root() / case_id).glob("*.tmp"))


def test_cases_not_opened_for_longer_than_promised_are_deleted(home: Path, small_case: core.Case) -> None:
    old, fresh, touched = (workspace.store(small_case, name) for name in ("old", "fresh", "touched"))
    long_ago = time.time() - 31 * workspace.DAY_S
    for case_id in (old, touched):
        os.utime(home / "cases" / case_id / "work.json", (long_ago, long_ago))
    workspace.touch(touched)
    assert workspace.delete_unopened() == 1
    assert set(workspace.saved()) == {fresh, touched}
    with pytest.raises(core.RedressError, match="deleted after 30 days"):
        workspace.load(old)


def test_the_retention_period_can_be_set(home: Path, small_case: core.Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDRESS_KEEP_DAYS", "2")
    case_id = workspace.store(small_case, "One")
    long_ago = time.time() - 3 * workspace.DAY_S
    os.utime(home / "cases" / case_id / "work.json", (long_ago, long_ago))
    assert workspace.delete_unopened() == 1


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


def test_work_survives_being_written_and_read() -> None:
    steps = (Step("converge"), Step("unlearn", (3, 5), "newton"))
    work = Work("id", core.AtRate(0.1), "precision_ratio", ("sex", "age"), steps, at=1)
    start = Work("id", None, "equal_opportunity_difference", "sex")
    assert start.restored(work.to_dict()) == work
    assert start.restored({"name": "only a name"}) == start


def test_a_new_step_drops_what_was_undone_and_the_selection() -> None:
    first, second, third = (Step("unlearn", (i,)) for i in range(3))
    work = Work("id", None, "m", "sex", (first, second), at=1, selection=("a",))
    after = work.taking(third)
    assert after.steps == (first, third)
    assert after.at == 2
    assert after.selection == ()
    assert work.steps == (first, second), "what was there is not changed"
