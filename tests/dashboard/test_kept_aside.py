"""The rows kept aside are offered once something was removed, and looks at them are counted and kept."""

from __future__ import annotations

import core
from dashboard import workspace
from dashboard.components.face import stops
from dashboard.work import Work
from tests.dashboard.conftest import Opener
from tests.dashboard.test_pages import go


def test_a_look_is_counted_and_told_apart_from_what_was_searched(
    open_app: Opener, case_id: str, small_case: core.Case
) -> None:
    app = go(open_app(case_id), "find")
    assert not [button for button in app.button if button.key == "confirm_look"]
    app.number_input(key="find_number").set_value(15).run()
    go(app, "remove")
    app.button(key="remove_apply").click().run()
    go(app, "remove")
    said = " ".join(one.value for one in app.markdown)
    assert "Not looked at yet" in said
    app.button(key="confirm_look").click().run()
    assert not app.exception
    said = " ".join(one.value for one in app.markdown)
    assert f"confirmed on {len(small_case.rows('confirm'))} rows" in said
    assert any("Looked at once" in one.value for one in app.caption)
    assert len(workspace.read(case_id)["looks"]) == 1
    assert len(workspace.load(case_id).looks) == 1


def test_check_says_which_rows_it_describes(open_app: Opener, case_id: str, small_case: core.Case) -> None:
    app = go(open_app(case_id), "check")
    assert any(f"All {len(small_case.test):,} test rows" in one.value for one in app.caption)


def test_the_header_asks_on_all_test_rows_whether_the_opened_model_has_a_gap(
    open_app: Opener, case_id: str, small_case: core.Case
) -> None:
    asked, none = "equal_opportunity_difference", 0.0
    searched, described = (
        core.audit(small_case, asked, sensitive_feature="sex", on=on).gaps.iloc[0] for on in ("explore", "test")
    )
    open_app(case_id)
    stop = stops.in_force(Work(case_id, None, asked, "sex"))
    chance = described["low"] <= none <= described["high"]
    assert (stop.moment.gap, stop.said.title.endswith("may be chance")) == (searched["value"], chance)
    assert f"Chance is judged on all {len(small_case.test):,} test rows." in stop.said.text
