"""Two tabs on one case: the later change becomes a branch, and each hears of the other."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

import core
from dashboard import workspace
from dashboard.app_pages.start import saved
from dashboard.work import Work
from tests.dashboard.conftest import Opener
from tests.dashboard.test_pages import go


def remove(app: AppTest, n: int) -> AppTest:
    """Remove the most harmful records."""
    go(app, "find").number_input(key="find_number").set_value(n).run()
    go(app, "remove").button(key="remove_apply").click().run()
    assert not app.exception, app.exception
    return app


def sizes(app: AppTest) -> list[int]:
    """How many records each version's last step removed."""
    work: Work = app.session_state["work"]
    return [len(steps[-1].positions) for steps in work.made]


def banner(app: AppTest) -> str:
    return " ".join(one.value for one in app.markdown if ":material/tab:" in one.value)


def test_a_stale_tab_branches_and_says_so(open_app: Opener, case_id: str) -> None:
    first, stale = open_app(case_id), open_app(case_id)
    remove(first, 15)
    assert banner(first) == ""
    assert stale.session_state["work"].made == (), "no run since the other one removed records"
    remove(stale, 7)
    assert sizes(stale) == [15, 7]
    assert stale.session_state["work"].number == 2
    assert workspace.read(case_id)["now"] == 2
    assert len(workspace.read(case_id)["versions"]) == 2
    first.run()
    assert sizes(first) == [15, 7]
    assert "version 2 (7 records removed) was made there" in banner(first).lower()
    assert "this tab still shows version 1" in banner(first)
    first.button(key="news_go").click().run()
    assert first.session_state["work"].number == 2
    assert banner(first) == ""


def test_a_change_that_overtakes_another_within_one_run_is_a_branch(open_app: Opener, case_id: str) -> None:
    """Both tabs know version 0; the other one writes after this one's last run began."""
    app = open_app(case_id)
    go(app, "find").number_input(key="find_number").set_value(7).run()
    go(app, "remove")
    other = remove(open_app(case_id), 15)
    record = workspace.read(case_id)
    app.button(key="remove_apply").click()
    app.run()
    assert workspace.read(case_id)["revision"] == record["revision"] + 1
    assert sizes(app) == [15, 7]
    work: Work = app.session_state["work"]
    assert [work.parent(1), work.parent(2), work.number] == [0, 0, 2]
    assert "version 1 (15 records removed) was made there" in banner(app).lower()
    assert "version 2, a branch beside it: nothing is lost" in banner(app)
    app.button(key="news_stay").click().run()
    assert banner(app) == ""
    other.run()
    assert sizes(other) == [15, 7]


def test_undo_in_one_tab_leaves_the_other_where_it_is(open_app: Opener, case_id: str) -> None:
    first = remove(open_app(case_id), 15)
    second = open_app(case_id)
    assert second.session_state["work"].number == 1
    first.button(key="strip_move_Undo").click().run()
    assert workspace.read(case_id)["now"] == 0
    second.run()
    assert second.session_state["work"].number == 1
    assert "Version 0 is in force there; this tab still shows version 1" in banner(second)


def test_choosing_another_gap_elsewhere_is_no_news(open_app: Opener, case_id: str) -> None:
    first, second = open_app(case_id), open_app(case_id)
    first.selectbox(key="strip_metric_equal_opportunity_difference").set_value("demographic_parity_difference").run()
    assert workspace.read(case_id)["metric"] == "demographic_parity_difference"
    second.run()
    assert banner(second) == ""
    assert second.session_state["work"].metric == "equal_opportunity_difference"


def test_a_damaged_record_opens_the_case_as_it_was(open_app: Opener, case_id: str, home: Path) -> None:
    remove(open_app(case_id), 15)
    path = home / "cases" / case_id / "work.json"
    written = path.read_text()
    for damage in (written[: len(written) // 2], written.replace('"positions": [', '"positions": [999999, ')):
        path.write_text(damage)
        app = open_app(case_id)
        assert "It is damaged, so the case is shown as it was opened" in app.error[0].value
        assert app.session_state["work"].made == ()
        assert not app.exception
        assert damage in {one.read_text() for one in path.parent.glob("damaged-*.json")}


def test_the_list_of_saved_cases_says_which_record_is_damaged(
    open_app: Opener, case_id: str, home: Path, small_case: core.Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(saved, "_alone", lambda: True)
    workspace.store(small_case, "Whole")
    (home / "cases" / case_id / "work.json").write_text("{")
    app = open_app()
    lines = [one.value for one in app.markdown if "last used" in one.value]
    assert len(lines) == 2
    assert sum("record is damaged" in line for line in lines) == 1
