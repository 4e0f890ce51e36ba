"""Every page on a small case: what it shows, and what its widgets do."""

from __future__ import annotations

import re
from pathlib import Path
from threading import Event

import pytest
from sklearn.ensemble import AdaBoostClassifier
from sklearn.linear_model import RidgeClassifier
from streamlit.testing.v1 import AppTest

import core
from dashboard import cached, jobs, workspace
from tests.conftest import make_pipeline_for
from tests.dashboard.conftest import Opener

PAGES = {name: f"app_pages/{name}/page.py" for name in ("start", "check", "find", "remove", "prove", "report")}


def go(app: AppTest, page: str) -> AppTest:
    if len(app._registered_pages) < len(
        PAGES
    ):  # the last run stopped before navigation, so AppTest knows no page's address
        app.run()
    app.switch_page(PAGES[page]).run()
    assert not app.exception, [e.proto.stack_trace for e in app.exception]
    return app


def strip_rows(app: AppTest) -> dict[str, list[str]]:
    """The strip's numbers, by row."""
    html = next(one.proto.body for one in app.get("html") if 'class="strip"' in one.proto.body)
    rows = re.findall(r'<tr class="strip-(\w+)">(.*?)</tr>', html)
    return {name: re.findall(r'class="strip-number">(.*?)</span>', cells) for name, cells in rows}


def selection(app: AppTest) -> tuple[object, ...]:
    return tuple(app.session_state["work"].selection)


def test_a_page_without_a_case_says_where_to_get_one(open_app: Opener) -> None:
    app = go(open_app(), "find")
    assert "needs an open case" in app.info[0].value
    assert not [one for one in app.get("html") if 'class="strip"' in one.proto.body]


def test_the_case_in_the_address_opens_and_is_judged(open_app: Opener, case_id: str) -> None:
    app = open_app(case_id)
    text = " ".join(one.value for one in app.markdown)
    assert "1,500 training records" in text
    assert "verified" in text
    assert app.query_params["case"] == case_id


def test_an_unknown_case_is_one_sentence(open_app: Opener) -> None:
    app = open_app("no-such-case")
    assert "must be kept on this server" in app.error[0].value
    assert "work" not in app.session_state


@pytest.mark.parametrize("attack", ["../outside", "inside/../../outside", "..", "~", ""])
def test_an_id_never_leaves_the_workspace(home: Path, small_case: core.Case, attack: str) -> None:
    small_case.save(home / "outside" / "case")
    (home / "cases" / "inside").mkdir(parents=True)
    with pytest.raises(core.RedressError, match="kept on this server"):
        workspace.load(attack)
    workspace.delete(attack)
    assert (home / "outside" / "case" / "case.toml").exists()


def test_a_demonstration_opens_as_a_copy_of_its_own(open_app: Opener) -> None:
    first, second = (open_app("credit").query_params["case"] for _ in range(2))
    assert first != second
    assert first.startswith("a-biased-branch~")


def test_the_strip_shows_the_same_numbers_as_the_library(open_app: Opener, case_id: str, small_case: core.Case) -> None:
    rows = strip_rows(open_app(case_id))
    gap = (
        core.audit(small_case, "equal_opportunity_difference", sensitive_feature=["sex"], on="explore")
        .gaps["value"]
        .iloc[0]
    )
    assert rows["before"][0] == f"{gap:.3f}"
    assert rows["now"] == rows["before"]
    assert "preview" not in rows, "nothing is selected"


def test_each_tab_of_check_shows_something(open_app: Opener, case_id: str, small_case: core.Case) -> None:
    app = go(open_app(case_id), "check")
    assert len(app.get("plotly_chart")) == 2
    for tab in ("Gaps", "Intersections", "Scores", "Threshold and cost"):
        app.session_state["check_tab"] = tab
        app.run()
        assert not app.exception, (tab, app.exception)
        assert app.get("plotly_chart"), tab
    app.session_state["check_tab"] = "Worst slices"
    app.run()
    app.button(key="ask_worst slices").click().run()
    assert not app.exception, app.exception
    found = core.worst_slices(small_case)
    table, tree = (one.value for one in app.dataframe if "where" in one.value.columns)
    _policies(app, small_case, case_id)
    assert table["where"].tolist() == [one.where for one in found]
    assert tree["where"].tolist() == [node.slice.where for _, node in found.tree.walk()]


def _policies(app: AppTest, small_case: core.Case, case_id: str) -> None:
    """Hold the case against a profile, choose another and change it; it is kept with the case."""
    app.session_state["check_tab"] = "Policy"
    app.run()
    assert not app.exception, app.exception
    ratios = next(one.value for one in app.dataframe if "ratio" in one.value.columns)
    assert ratios["ratio"].tolist() == core.apply_policy(small_case)[0].table["ratio"].tolist()
    next(one for one in app.selectbox if one.key.startswith("check_policy")).set_value("equalized_odds").run()
    assert workspace.read(case_id)["policy"] == core.policy_profile("equalized_odds").text
    assert {"limit", "mark"} <= set(next(one.value for one in app.dataframe if "limit" in one.value.columns).columns)
    area = next(one for one in app.text_area if one.key.startswith("check_policy_text"))
    area.set_value(area.value.replace("at_most = 0.1", "at_most = 1.1")).run()
    app.button(key="check_policy_use").click().run()
    assert "must be a number from 0 to 1" in app.error[0].value.replace("\\", "")
    area = next(one for one in app.text_area if one.key.startswith("check_policy_text"))
    area.set_value(area.value.replace("at_most = 1.1", "at_most = 0.33")).run()
    app.button(key="check_policy_use").click().run()
    assert not app.exception, app.exception
    assert "at_most = 0.33" in workspace.read(case_id)["policy"]
    assert any((one.value["limit"] == 0.33).all() for one in app.dataframe if "limit" in one.value.columns)


def test_gaps_of_groups_that_are_too_small_are_not_judged(open_app: Opener, case_id: str) -> None:
    app = go(open_app(case_id), "check")
    app.selectbox(key="strip_feature_sex").set_value(("sex", "age")).run()
    app.session_state["check_tab"] = "Gaps"
    app.run()
    judged = next(one.value for one in app.dataframe if "verdict" in one.value.columns)["verdict"]
    unsure = int((judged == "insufficient evidence").sum())
    assert unsure > 0
    said = [one.value for one in app.warning if "Insufficient evidence for" in one.value]
    assert said
    assert f"for {unsure} of {len(judged)} gaps" in said[0]


def test_another_threshold_changes_now_and_before_alike(open_app: Opener, case_id: str) -> None:
    app = go(open_app(case_id), "check")
    app.session_state["check_tab"] = "Threshold and cost"
    app.run()
    before = strip_rows(app)
    control = next(one for one in app.segmented_control if one.key.startswith("check_mode"))
    control.set_value("Alert capacity").run()
    slider = next(one for one in app.slider if one.key.startswith("check_capacity"))
    slider.set_value(10.0).run()
    after = strip_rows(app)
    assert app.session_state["work"].threshold == core.AtRate(0.1)
    strip = next(one.proto.body for one in app.get("html") if 'class="strip"' in one.proto.body)
    assert "by the threshold chosen: decided granted = 1 for the highest 10.0% of scores" in strip
    assert after["now"] == after["before"]
    assert after["now"] != before["now"]


def test_taking_the_most_harmful_previews_and_applies_them(
    open_app: Opener, case_id: str, small_case: core.Case
) -> None:
    app = go(open_app(case_id), "find")
    app.number_input(key="find_number").set_value(15).run()
    assert not app.exception, app.exception
    harmful = core.harmful(
        core.influence(core.prepare(small_case), "equal_opportunity_difference", sensitive_feature="sex")
    )
    assert selection(app) == tuple(harmful[:15])
    preview = strip_rows(app)["preview"]
    assert preview[3] == "15"
    go(app, "remove")
    app.button(key="remove_apply").click().run()
    assert not app.exception, app.exception
    rows = strip_rows(app)
    removed = core.unlearn(small_case, harmful[:15]).case
    gap = (
        core.audit(removed, "equal_opportunity_difference", sensitive_feature=["sex"], on="explore")
        .gaps["value"]
        .iloc[0]
    )
    assert rows["now"][0] == f"{gap:.3f}"
    assert rows["now"][3] == "15"
    assert rows["before"][3] == "0"
    assert abs(float(preview[0]) - gap) < 0.01
    assert selection(app) == ()


def test_undo_redo_and_reset_walk_the_versions(open_app: Opener, case_id: str) -> None:
    app = go(open_app(case_id), "find")
    for n in (5, 7):
        go(app, "find")
        app.number_input(key="find_number").set_value(n).run()
        go(app, "remove")
        app.button(key="remove_apply").click().run()
    assert strip_rows(app)["now"][3] == "12"
    app.button(key="strip_move_Undo").click().run()
    assert strip_rows(app)["now"][3] == "5"
    app.button(key="strip_move_Redo").click().run()
    assert strip_rows(app)["now"][3] == "12"
    app.button(key="strip_move_Reset").click().run()
    assert strip_rows(app)["now"] == strip_rows(app)["before"]
    assert app.button(key="strip_move_Redo").disabled is False
    assert app.button(key="strip_move_Undo").disabled is True


def test_another_session_finds_the_removals_in_place(open_app: Opener, case_id: str) -> None:
    app = go(open_app(case_id), "find")
    app.number_input(key="find_number").set_value(5).run()
    go(app, "remove")
    app.button(key="remove_apply").click().run()
    again = strip_rows(open_app(case_id))
    assert again["now"][0:4] == strip_rows(app)["now"][0:4]
    assert again["now"][3] == "5"


def test_a_refit_gives_what_newton_gives(open_app: Opener, case_id: str) -> None:
    app = go(open_app(case_id), "find")
    app.number_input(key="find_number").set_value(5).run()
    go(app, "remove")
    app.radio(key="remove_method").set_value("refit").run()
    app.button(key="remove_apply").click().run()
    assert not app.exception, app.exception
    refit = strip_rows(app)["now"]
    assert app.session_state["work"].steps[0].method == "refit"
    app.button(key="strip_move_Undo").click().run()
    go(app, "find")
    app.number_input(key="find_number").set_value(5).run()
    go(app, "remove")
    app.radio(key="remove_method").set_value("newton").run()
    app.button(key="remove_apply").click().run()
    assert strip_rows(app)["now"][:4] == refit[:4]


def test_forgetting_a_whole_class_is_refused_beside_the_button(open_app: Opener, case_id: str) -> None:
    app = go(open_app(case_id), "find")
    app.multiselect(key="find_labels").set_value(["1"]).run()
    app.button(key="find_all").click().run()
    assert len(selection(app)) > 500
    go(app, "remove")
    app.button(key="remove_apply").click().run()
    assert not app.exception, app.exception
    assert [one.value.count("every class must stay") for one in app.error] == [1], "said once"
    assert len(selection(app)) > 500
    assert strip_rows(app)["now"][3] == "0"


def test_filters_narrow_what_is_taken(open_app: Opener, case_id: str, small_case: core.Case) -> None:
    app = go(open_app(case_id), "find")
    next(one for one in app.multiselect if one.key.startswith("find_groups")).set_value(["f"]).run()
    app.selectbox(key="find_column").set_value("job").run()
    next(one for one in app.multiselect if one.key.startswith("find_values")).set_value(["cook"]).run()
    app.number_input(key="find_number").set_value(9).run()
    rows = small_case.train.set_index("person").loc[list(selection(app))]
    assert set(rows["sex"]) == {"f"}
    assert set(rows["job"]) == {"cook"}
    assert len(rows) == 9
    app.button(key="find_clear").click().run()
    assert selection(app) == ()


def test_another_gap_is_kept_with_the_case(open_app: Opener, case_id: str) -> None:
    app = open_app(case_id)
    app.selectbox(key="strip_metric_equal_opportunity_difference").set_value("demographic_parity_ratio").run()
    assert not app.exception, app.exception
    assert open_app(case_id).session_state["work"].metric == "demographic_parity_ratio"


def test_a_case_that_newer_ones_displaced_comes_back_with_its_removals(
    open_app: Opener, case_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = go(open_app(case_id), "find")
    app.number_input(key="find_number").set_value(3).run()
    go(app, "remove").button(key="remove_apply").click().run()
    now = strip_rows(app)["now"]
    cached.results().drop(case_id)
    load, go_on = cached.versions()._load, Event()
    monkeypatch.setattr(cached.versions(), "_load", lambda one: load(one) if go_on.wait(20.0) else None)
    monkeypatch.setattr(jobs, "QUICK_S", 0.05)
    app.run()
    assert not app.exception, app.exception
    assert app.session_state["jobs"]["case"].title == "Bringing the case back"
    assert not [one for one in app.get("html") if 'class="strip"' in one.proto.body], (
        "the page waits off its own thread"
    )
    job = app.session_state["jobs"]["case"]
    go_on.set()
    job._future.result(20.0)
    app.run()
    assert strip_rows(app)["now"][:-1] == now[:-1], "the time it took is another"


def test_a_deleted_case_is_gone(open_app: Opener, case_id: str, home: Path) -> None:
    app = open_app(case_id)
    app.button(key="delete").click().run()
    assert not app.exception, app.exception
    assert not (home / "cases" / case_id).exists()
    assert "work" not in app.session_state


def test_columns_named_like_the_pages_own_are_no_trouble(open_app: Opener, small_case: core.Case) -> None:
    names = {"debt": "gap", "income": "removed", "job": "group"}
    train, test = (table.rename(columns=names) for table in (small_case.train, small_case.test))
    model = make_pipeline_for(small_case.train, features=("age",))
    case = core.Case(model, train=train, test=test, roles=small_case.roles)
    app = go(open_app(workspace.store(case, "Twins")), "find")
    assert any("gap" in one.value.columns and "gap " in one.value.columns for one in app.dataframe)


def test_a_model_without_probabilities_is_audited_on_its_decisions(open_app: Opener, small_case: core.Case) -> None:
    features = ["age", "debt"]
    model = RidgeClassifier().fit(small_case.train[features], small_case.train["granted"])
    case = core.Case(model, train=small_case.train, test=small_case.test, roles=small_case.roles)
    app = open_app(workspace.store(case, "Ridge"))
    offered = next(one for one in app.selectbox if one.key.startswith("strip_metric")).options
    assert not [label for label in offered if "Brier" in label]
    go(app, "check")
    for tab in ("Gaps", "Intersections", "Scores", "Threshold and cost"):
        app.session_state["check_tab"] = tab
        app.run()
        assert not app.exception, (tab, app.exception)
    next(one for one in app.segmented_control if one.key.startswith("check_mode")).set_value("At a score").run()
    assert not app.exception, app.exception
    assert isinstance(app.session_state["work"].threshold, float)


def test_a_model_that_only_refitting_serves_says_so_and_can_still_forget(
    open_app: Opener, small_case: core.Case
) -> None:
    features = ["age", "debt"]
    model = AdaBoostClassifier(n_estimators=5).fit(small_case.train[features], small_case.train["granted"])
    case = core.Case(model, train=small_case.train, test=small_case.test, roles=small_case.roles)
    app = go(open_app(workspace.store(case, "Bayes")), "find")
    assert "Records can still be removed" in app.info[0].value or "predicts removals" in app.info[0].value
    assert "To begin, tick rows of the table" in " ".join(one.value for one in app.markdown), (
        "there is nothing to outline"
    )
    app.selectbox(key="find_column").set_value("job").run()
    next(one for one in app.multiselect if one.key.startswith("find_values")).set_value(["nurse"]).run()
    app.button(key="find_all").click().run()
    n = len(selection(app))
    assert n == int((small_case.train["job"] == "nurse").sum())
    assert strip_rows(app)["preview"][3] == str(n), (
        "how many are selected is known where nothing predicts what that does"
    )
    go(app, "remove")
    assert app.radio(key="remove_method").options == ["refit: exact"]
    captions = [one.value.replace("\\", "") for one in app.caption]
    assert not [one for one in captions if "does not fit this case" in one]
    assert any(
        one.endswith("gradient boosting, not for an AdaBoostClassifier.")
        for one in captions
        if "Quicker ways are known for" in one
    )
    app.button(key="remove_apply").click().run()
    assert not app.exception, app.exception
    assert strip_rows(app)["now"][3] == str(n)


def test_a_model_stopped_short_is_converged_as_a_version_of_its_own(open_app: Opener, small_case: core.Case) -> None:
    model = make_pipeline_for(small_case.train, solver="lbfgs", tol=1e-2)
    case = core.Case(model, train=small_case.train, test=small_case.test, roles=small_case.roles)
    app = open_app(workspace.store(case, "Short"))
    assert "stops at the same coefficients" in " ".join(one.value for one in app.markdown)
    app.button(key="converge").click().run()
    assert not app.exception, app.exception
    assert strip_rows(app)["now"][3] == "0"
    go(app, "remove")
    versions = app.dataframe[0].value
    assert list(versions["step"]) == ["as opened", "brought to its optimum"]
    app.button(key="strip_move_Undo").click().run()
    assert strip_rows(app)["now"] == strip_rows(app)["before"]


def test_a_gap_that_cannot_be_taken_is_a_sentence_and_another_can_be_chosen(
    open_app: Opener, small_case: core.Case
) -> None:
    # Only clerks deserve the good outcome in the test table, so there is one true positive rate and nothing to compare it with.
    test = small_case.test.assign(granted=small_case.test["granted"].where(small_case.test["job"] == "clerk", 0))
    roles = small_case.roles.with_(sensitive_features=["job"])
    case = core.Case(small_case.model, train=small_case.train, test=test, roles=roles)
    app = open_app(workspace.store(case, "Nobody"))
    assert strip_rows(app)["now"][0] == "\N{EN DASH}"
    for page in ("check", "find", "remove"):
        go(app, page)
    app = go(app, "find")
    assert "equal_opportunity_difference" in " ".join(one.value.replace("\\", "") for one in (*app.error, *app.info))
    next(one for one in app.selectbox if one.key.startswith("strip_metric")).set_value(
        "demographic_parity_difference"
    ).run()
    assert not app.exception, app.exception
    assert not app.error


def test_records_can_be_chosen_where_the_gap_is_undefined(open_app: Opener, small_case: core.Case) -> None:
    test = small_case.test.assign(granted=small_case.test["granted"].where(small_case.test["sex"] == "m", 0))
    case = core.Case(small_case.model, small_case.train, test, small_case.roles, confirm=False)
    app = go(open_app(workspace.store(case, "No good outcome for one group")), "find")
    assert "must be defined on the explore rows" in app.info[0].value
    app.button(key="find_all").click().run()
    assert len(selection(app)) == len(case.train)
    go(app, "check")
    app.session_state["check_tab"] = "Gaps"
    app.run()
    assert any("undefined: f has no rate there" in one.value for one in app.info)
