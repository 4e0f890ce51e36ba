"""How long cases are kept: as promised, however the clock is set and whatever the setting says."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import core
from core.command_line import run
from core.command_line.main import main
from core.files.folder_lock import alone_in
from dashboard import places, retention, workspace
from dashboard.retention import DAY_S, delete_unopened
from tests.dashboard.conftest import Opener
from tests.dashboard.test_unwritten import spoken
from tests.disk import FULL, READ_ONLY, Disk

Clock = Callable[[float], None]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Set the clock so many days ahead of the real one."""
    real = time.time

    def ahead(days: float) -> None:
        monkeypatch.setattr(time, "time", lambda: real() + days * DAY_S)

    return ahead


def aged(home: Path, case_id: str, days: float) -> None:
    when = time.time() - days * DAY_S
    os.utime(home / "cases" / case_id / "work.json", (when, when))


def test_cases_not_opened_for_longer_than_promised_are_deleted(home: Path, small_case: core.Case, clock: Clock) -> None:
    old, fresh, touched = (workspace.store(small_case, name) for name in ("old", "fresh", "touched"))
    for case_id in (old, touched):
        aged(home, case_id, 31)
    workspace.touch(touched)
    assert delete_unopened() == 0
    clock(1.1)
    assert delete_unopened() == 1
    assert set(workspace.saved()) == {fresh, touched}
    with pytest.raises(core.RedressError, match="deleted after 30 days"):
        workspace.load(old)


def test_a_case_opened_after_it_was_found_too_old_stays(home: Path, case_id: str, clock: Clock) -> None:
    aged(home, case_id, 31)
    assert delete_unopened() == 0
    workspace.touch(case_id)
    clock(2)
    assert delete_unopened() == 0
    assert workspace.saved() == [case_id]


@pytest.mark.parametrize("disk", [None, READ_ONLY])
def test_a_clock_set_forward_deletes_nothing(
    home: Path, case_id: str, clock: Clock, disk: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It runs ahead for a while, cases are opened meanwhile, and it is put right; a second time, too."""
    for days in (400, 70 * 365, 400):
        clock(days)
        with monkeypatch.context() as patch:
            if disk is not None:
                Disk(patch, home, disk)
            assert [delete_unopened() for _ in range(3)] == [0, 0, 0]
        clock(0)
        assert delete_unopened() == 0
    assert workspace.saved() == [case_id]
    later = time.time() + 70 * 365 * DAY_S
    os.utime(home / "cases" / case_id / "work.json", (later, later))
    assert delete_unopened() == 0
    clock(31)
    assert delete_unopened() == 0
    clock(33)
    assert delete_unopened() == 1, "what was opened by a clock that was ahead is not kept for 70 years"


@pytest.mark.parametrize("text", ["nan", "inf", "-1", "0", "a month", "1e999"])
def test_a_number_of_days_that_is_none_is_told_and_30_hold(
    text: str,
    home: Path,
    small_case: core.Case,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("REDRESS_KEEP_DAYS", text)
    monkeypatch.setattr(run, "_streamlit", lambda _: pytest.fail("it must not be served"))
    assert main(["run"]) == 2
    assert "REDRESS_KEEP_DAYS must be a number of days above 0" in capsys.readouterr().err
    assert retention.keep_days() == 30
    assert repr(text) in retention.keep_days_problem()
    case_id = workspace.store(small_case, "One")
    aged(home, case_id, 29)
    assert delete_unopened() == 0
    aged(home, case_id, 31)
    assert delete_unopened() == 0
    clock(1.1)
    assert delete_unopened() == 1


def test_the_page_says_that_the_number_of_days_is_none(open_app: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDRESS_KEEP_DAYS", "nan")
    app = open_app()
    assert "REDRESS_KEEP_DAYS must be" in spoken(app.warning)[0]
    monkeypatch.setenv("REDRESS_KEEP_DAYS", "2")
    assert retention.keep_days() == 2
    assert not open_app().warning


def test_what_a_killed_upload_or_deletion_left_goes_at_once(home: Path, case_id: str, small_case: core.Case) -> None:
    left = [home / "cases" / name for name in (".storing-dead", ".storing-alive", ".storing-new", ".deleted-half")]
    for folder in left:
        small_case.save(folder / "case")
    for folder in left[:2]:
        os.utime(folder, (time.time() - 120, time.time() - 120))
    with alone_in(left[1]):
        assert delete_unopened() == 0
    assert [folder.exists() for folder in left] == [False, True, True, False]
    assert workspace.saved() == [case_id]


@pytest.mark.parametrize("failure", [FULL, READ_ONLY])
def test_a_case_is_stored_and_deleted_whole_or_not_at_all(
    failure: int, home: Path, small_case: core.Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    def until_it_works(act: Callable[[int], object], check: Callable[[int], None]) -> int:
        for n in range(10_000):
            with monkeypatch.context() as patch:
                disk = Disk(patch, home, failure, n)
                try:
                    act(n)
                except OSError:
                    assert disk.failed
                else:
                    if not disk.failed:
                        return n
            check(n)
        raise AssertionError

    def half(_: int) -> None:
        assert workspace.saved() == []
        if failure == READ_ONLY:
            return
        assert {one.name for one in home.glob("cases/*")} <= set()

    monkeypatch.setattr(small_case.__class__, "save", lambda *_: None)  # tests of its own do that at every change
    made = until_it_works(lambda n: _stored(small_case, n), half)
    assert made > 8
    assert workspace.saved() == [f"case-{made}"]

    def all_or_none(_: int) -> None:
        assert not places.root().exists() or all(
            (places.root() / one / "case" / "case.toml").exists() for one in workspace.saved()
        )

    assert until_it_works(lambda _: workspace.delete(f"case-{made}"), all_or_none) >= 0
    assert workspace.saved() == []


def _stored(case: core.Case, n: int) -> None:
    with places.storing(f"case-{n}") as folder:
        (folder / "case").mkdir()
        (folder / "case" / "case.toml").touch()
        workspace.update_record(folder, lambda _: {"name": case.roles.target})


def test_a_user_without_a_folder_is_told_to_name_one(monkeypatch: pytest.MonkeyPatch, open_app: Opener) -> None:
    monkeypatch.delenv("REDRESS_HOME")

    class Homeless(type(Path())):  # type: ignore[misc]
        @classmethod
        def home(cls) -> Path:
            raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr("core.files.home.Path", Homeless)
    assert delete_unopened() == 0
    app = open_app("no-such-case")
    assert "set REDRESS_HOME to one" in spoken(app.error)[0]
