"""A disk that is full or may not be written stops no page; a case deleted elsewhere is a sentence."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

import core
from dashboard import bookkeeping, workspace
from dashboard.work import Work
from tests.dashboard.conftest import Opener
from tests.dashboard.test_other_tabs import remove, sizes
from tests.dashboard.test_pages import PAGES, go
from tests.disk import FULL, READ_ONLY, Disk, KilledError

WORDS = {FULL: "(No space left on device): free some space.", READ_ONLY: "(Read-only file system): make it writable"}


def told(app: AppTest) -> str:
    """Return what the page says of the disk."""
    return " ".join(one for one in spoken(app.warning) if "cannot be written to this server's disk" in one)


def spoken(elements: Iterable[Any]) -> list[str]:
    """Return texts without the marks that keep them from being markup."""
    return [one.value.replace("\\", "") for one in elements]


@pytest.mark.parametrize("failure", [FULL, READ_ONLY])
def test_no_page_stops_for_a_disk_that_takes_nothing(
    failure: int, home: Path, case_id: str, open_app: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        disk = Disk(patch, home, failure)
        app = open_app(case_id)
        toasts = [*app.toast]
        toasts += remove(app, 15).toast
        assert disk.failed
        for page in PAGES if failure == FULL else ["start"]:
            assert WORDS[failure] in told(go(app, page)), page
            toasts += app.toast
        assert ["the top of the page says why" in one.value for one in toasts] == [True], "it is said aloud once"
        go(app, "report").text_input(key="report_actor").set_value("Ada").run()
        app.text_input(key="report_reason").set_value("request 17").run()
        app.button(key="report_write").click().run()
        assert not app.exception, app.exception
        assert any("nothing was written" in one or "folder of keys must be" in one for one in spoken(app.error))
        go(app, "remove").button(key="confirm_look").click().run()
        assert any("confirmed on" in one.value for one in app.markdown)
        assert not app.exception, app.exception
        assert sizes(app) == [15]
        assert "versions" not in workspace.read(case_id)
        assert sizes(open_app(case_id)) == []
    app.run()
    assert told(app) == ""
    assert [len(one["positions"]) for one in workspace.read(case_id)["versions"]] == [15]
    assert len(workspace.read(case_id)["looks"]) == 1, "the look that could not be written was counted"
    assert sizes(open_app(case_id)) == [15]


def test_a_demonstration_opens_where_nothing_may_be_written(
    home: Path,
    small_case: core.Case,
    open_app: Opener,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = small_case.save(tmp_path_factory.mktemp("samples") / "small")
    (folder / "README.md").write_text("# Small\n\nA small case.\n")
    monkeypatch.setattr(workspace, "sample_folders", lambda: {"small": folder})
    with monkeypatch.context() as patch:
        Disk(patch, home, READ_ONLY)
        app = remove(open_app("small"), 15)
        assert WORDS[READ_ONLY] in told(app)
        assert not list(home.iterdir())
    app.run()
    assert told(app) == ""
    assert workspace.read(app.session_state["work"].case_id)["now"] == 1


@pytest.mark.parametrize("failure", [FULL, READ_ONLY, None])
def test_a_record_that_cannot_be_written_stays_as_it_was(
    failure: int | None, home: Path, case_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    n, disk = 0, None
    while disk is None or disk.failed:
        before = workspace.read(case_id)
        with monkeypatch.context() as patch:
            disk = Disk(patch, home, failure, n)
            with suppress(KilledError):
                bookkeeping.attempt(case_id, lambda n=n: workspace.write(case_id, {"n": n}))
        assert workspace.read(case_id) in (before, {**before, "n": n})
        assert not workspace.is_damaged(case_id)
        if failure is not None:
            assert (workspace.trouble(case_id) == "") == (workspace.read(case_id).get("n") == n)
        n += 1
    assert n > 4
    workspace.write(case_id, {"n": -1})
    assert {one.name for one in (home / "cases" / case_id).iterdir()} == {"case", "work.json", ".lock"}


def test_a_damaged_record_on_a_disk_that_takes_nothing_opens_all_the_same(
    home: Path, case_id: str, open_app: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "cases" / case_id / "work.json").write_text("{")
    with monkeypatch.context() as patch:
        Disk(patch, home, READ_ONLY)
        app = open_app(case_id)
        assert "It is damaged, so the case is shown as it was opened" in spoken(app.error)[0]
        assert "Read-only" in told(app)
        remove(app, 15)
    app.run()
    assert len(workspace.read(case_id)["versions"]) == 1


def test_a_case_deleted_while_it_is_open_elsewhere_is_one_sentence(
    home: Path, case_id: str, open_app: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    app, stale, late = open_app(case_id), open_app(case_id), open_app(case_id)
    go(stale, "find").number_input(key="find_number").set_value(7).run()
    with monkeypatch.context() as patch:
        Disk(patch, home, READ_ONLY)
        app.button(key="delete").click().run()
        assert "A case must be deleted where the disk may be written" in spoken(app.error)[0]
        assert workspace.saved() == [case_id]
    app.button(key="delete").click().run()
    assert "was deleted from this server" in spoken(app.success)[0]
    assert not app.exception, app.exception
    go(stale, "remove")
    late.run()
    for one in (stale, late):
        assert not one.exception, one.exception
        assert "It was deleted: in another tab, by somebody" in spoken(one.error)[0]
        assert "work" not in one.session_state
        assert "case" not in one.query_params
        assert told(one) == ""
    assert not [one for one in home.glob("cases/*") if not one.name.startswith(".due")], "nobody makes its folder again"


def test_a_step_taken_in_a_case_deleted_elsewhere_leaves_nothing(home: Path, case_id: str, open_app: Opener) -> None:
    app = open_app(case_id)
    go(app, "find").number_input(key="find_number").set_value(7).run()
    go(app, "remove")
    workspace.delete(case_id)
    app.button(key="remove_apply").click().run()
    assert not app.exception, app.exception
    assert "It was deleted: in another tab" in spoken(app.error)[0]
    assert not list(home.glob("cases/*/*"))


def test_a_folder_of_cases_that_is_not_there_for_a_while_closes_no_case(
    home: Path, case_id: str, open_app: Opener
) -> None:
    """As a disk that was taken off and put back."""
    app = open_app(case_id)
    (home / "cases").rename(home / "elsewhere")
    remove(app, 7)
    work: Work = app.session_state["work"]
    assert work.number == 1
    assert "No such file or directory" in told(app)
    (home / "elsewhere").rename(home / "cases")
    app.run()
    assert told(app) == ""
    assert len(workspace.read(case_id)["versions"]) == 1
