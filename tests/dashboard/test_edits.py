"""Another label or weight for the selected records, as ways beside removal."""

from __future__ import annotations

import core
from tests.dashboard.conftest import Opener
from tests.dashboard.test_pages import go, selection, strip_rows

GAP = "equal_opportunity_difference"


def _gap(case: core.Case) -> str:
    report = core.audit(case, GAP, sensitive_feature=["sex"], on="explore")
    return f"{report.gaps['value'].iloc[0]:.3f}"


def test_selected_records_are_relabelled_and_weighed(open_app: Opener, case_id: str, small_case: core.Case) -> None:
    app = go(open_app(case_id), "find")
    app.number_input(key="find_number").set_value(15).run()
    ids = selection(app)
    go(app, "remove")
    app.segmented_control(key="remove_way_remove").set_value("relabel").run()
    assert not app.exception, app.exception
    relabelled = core.edit(small_case, relabel=dict.fromkeys(ids, 1)).case
    assert strip_rows(app)["preview"][0] == _gap(relabelled)
    app.radio(key="remove_label").set_value(0).run()
    refused = core.edit(small_case, relabel=dict.fromkeys(ids, 0)).case
    assert strip_rows(app)["preview"][0] == _gap(refused)
    app.radio(key="remove_label").set_value(1).run()
    app.button(key="remove_apply").click().run()
    if any(one.key == "remove_sure" for one in app.button):
        app.button(key="remove_sure").click().run()
    assert not app.exception, app.exception
    assert strip_rows(app)["now"][0] == _gap(relabelled)
    assert strip_rows(app)["now"][3] == "0", "nothing is removed"
    assert any("15 records relabelled" in one.value for one in app.markdown)
    assert selection(app) == ()
    assert app.session_state["work"].edit is None

    go(app, "find")
    app.number_input(key="find_number").set_value(5).run()
    more = selection(app)
    go(app, "remove")
    app.segmented_control(key="remove_way_remove").set_value("reweigh").run()
    app.number_input(key="remove_weight").set_value(3.0).run()
    heavier = core.edit(relabelled, reweight=dict.fromkeys(more, 3.0)).case
    assert strip_rows(app)["preview"][0] == _gap(heavier)
    app.button(key="remove_apply").click().run()
    if any(one.key == "remove_sure" for one in app.button):
        app.button(key="remove_sure").click().run()
    assert strip_rows(app)["now"][0] == _gap(heavier)
    again = open_app(case_id)
    assert strip_rows(again)["now"][0] == _gap(heavier), "the edits are kept beside the case"
    for page in ("check", "prove", "report"):
        assert not go(again, page).exception
