"""A forest with balanced class weights on the pages: its records are ranked, previewed and forgotten in place."""

from __future__ import annotations

from pathlib import Path

from sklearn.ensemble import RandomForestClassifier

import core
from dashboard import workspace
from tests.dashboard.conftest import Opener
from tests.dashboard.test_pages import go, selection, strip_rows


def test_its_records_are_ranked_and_forgotten_in_place(open_app: Opener, home: Path, small_case: core.Case) -> None:
    columns, train = ["age", "debt"], small_case.train
    model = RandomForestClassifier(8, max_depth=5, random_state=0, class_weight="balanced")
    model.fit(train[columns], train["granted"])
    case = core.Case(model, train, small_case.test, small_case.roles)
    app = go(open_app(workspace.store(case, "Balanced")), "find")
    app.number_input(key="find_number").set_value(12).run()
    harmful = core.harmful(core.influence(core.prepare(case), "equal_opportunity_difference", sensitive_feature="sex"))[
        :12
    ]
    assert selection(app) == tuple(harmful)
    go(app, "remove")
    assert "forest: exact" in app.radio(key="remove_method").options
    assert not any("class_weight" in one.value for one in app.caption)
    preview = strip_rows(app)["preview"]
    app.radio(key="remove_method").set_value("forest").run()
    app.button(key="remove_apply").click().run()
    if any(button.key == "remove_sure" for button in app.button):  # asked once more, as the gap is predicted to grow
        app.button(key="remove_sure").click().run()
    assert not app.exception, app.exception
    assert app.session_state["work"].steps[0].method == "forest"
    said = " ".join(one.value for kind in (app.markdown, app.caption) for one in kind)
    assert "equals training again on the retained records with the same random draws" in said
    assert "With other draws, training again gives another model." in said
    removed = core.unlearn(case, harmful, method="forest").case
    gap = (
        core.audit(removed, "equal_opportunity_difference", sensitive_feature=["sex"], on="explore")
        .gaps["value"]
        .iloc[0]
    )
    assert strip_rows(app)["now"][0] == preview[0] == f"{gap:.3f}"
