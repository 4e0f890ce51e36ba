"""Rules, plans, mitigators, decisions, lists and labels: asked for on a page, and turned into a selection."""

from __future__ import annotations

from dataclasses import replace
from threading import Event

import pytest
from streamlit.testing.v1 import AppTest

import core
from dashboard import jobs
from dashboard.app_pages.find import start as find_start
from dashboard.app_pages.remove import mitigators
from dashboard.app_pages.remove import plan as remove_plan
from dashboard.components import searched
from tests.dashboard.conftest import Opener
from tests.dashboard.test_pages import go, selection, strip_rows

METRIC = "equal_opportunity_difference"


def texts(app: AppTest) -> str:
    """Everything the page says, without the escapes."""
    shown = [*app.markdown, *app.caption, *app.info, *app.warning, *app.success, *app.error]
    return " ".join(str(one.value) for one in shown).replace("\\", "")


def start_from(app: AppTest, way: str) -> AppTest:
    app.session_state["find_start"] = way
    app.run()
    assert not app.exception, app.exception
    return app


def clicked(app: AppTest, key: str) -> AppTest:
    app.button(key=key).click().run()
    assert not app.exception, app.exception
    return app


def test_rules_are_shown_and_select_their_records(
    open_app: Opener, case_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    searched: list[core.Explanation] = []
    explain, expect = core.explain_gap, core.expected_gains
    monkeypatch.setattr(core, "explain_gap", lambda *a, **b: searched.append(explain(*a, **b)) or searched[-1])
    monkeypatch.setattr(core, "expected_gains", lambda *a, **b: searched.append(expect(*a, **b)) or searched[-1])
    app = clicked(go(open_app(case_id), "find"), "ask_rules")
    found, known = searched
    assert (found.metric, found.sensitive_feature) == (METRIC, "sex")
    said = texts(app)
    for rule in found:
        assert rule.sentence in said
    for rule in known:
        assert rule.claim in said
    assert any("uses" in one and "sensitive" in one for one in [said]) == any(rule.sensitive for rule in found)
    assert ("None of these rules is expected to help" in said) is not bool(known.helping)
    assert f"{found.n_tried:,} rules tried" in said
    assert found.tested_words in said
    assert "confirmed" not in said, "what was measured on the rows that found it is no confirmation"
    table = next(one.value for one in app.dataframe if "found_again" in one.value.columns)
    assert list(table["verified"]) == [rule.verified for rule in found]
    assert list(table["expected_gain"]) == [rule.expected_gain for rule in known]
    shown = sorted(known, key=lambda rule: not rule.helps)
    clicked(app, "find_rule_2")
    assert selection(app) == tuple(shown[1].forget)
    assert strip_rows(app)["preview"][3] == str(shown[1].n_records)


def test_no_rule_within_the_bounds_is_said(open_app: Opener, case_id: str) -> None:
    app = go(open_app(case_id), "find")
    app.slider(key="find_support").set_value((0.1, 0.1)).run()
    clicked(app, "ask_rules")
    assert "widen the support bounds" in texts(app)


def test_a_search_stopped_half_way_keeps_what_it_found(
    open_app: Opener, case_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    explain, under_way, go_on = core.explain_gap, Event(), Event()

    def slow(*args: object, progress: jobs.Report, **options: object) -> core.Explanation:
        def waiting(share: float, what: str) -> None:
            if share > 0.55:
                under_way.set()
                go_on.wait(20.0)
            progress(share, what)

        return explain(*args, progress=waiting, **options)  # type: ignore[arg-type]

    app = go(open_app(case_id), "find")
    monkeypatch.setattr(core, "explain_gap", slow)
    monkeypatch.setattr(jobs, "QUICK_S", 0.05)
    clicked(app, "ask_rules")
    assert under_way.wait(20.0)
    clicked(app, "cancel_rules")
    job = app.session_state["jobs"]["rules"]
    go_on.set()
    job._future.result(20.0)
    app.run()
    assert not app.exception, app.exception
    assert "The search was stopped" in texts(app)
    scored = next(one.value for one in app.dataframe if "summed" in one.value.columns)
    assert "No rule was measured by then" in texts(app)
    clicked(app, "find_scored_select")
    assert len(selection(app)) == scored["n_records"].iloc[0], "scored rules are kept, and can be selected"
    monkeypatch.setattr(jobs, "QUICK_S", 60.0)
    clicked(app, "ask_rules")
    assert "The search was stopped" not in texts(app)


def test_decisions_lead_to_the_records_that_caused_them(open_app: Opener, case_id: str, small_case: core.Case) -> None:
    app = start_from(go(open_app(case_id), "find"), find_start.DECISIONS)
    app.selectbox(key="find_decisions_group_sex").set_value("f").run()
    case = core.prepare(small_case)
    rows = core.choose_decisions(case, "wrongly_refused", sensitive_feature="sex", group="f")
    assert f"{len(rows)} of {len(case.rows('explore'))} test rows searched" in texts(app)
    clicked(app, "ask_causes of decisions")
    app.number_input(key="take_decisions_number").set_value(7).run()
    clicked(app, "take_decisions")
    assert selection(app) == tuple(core.harmful(core.influence_on_decisions(case, rows))[:7])
    app.selectbox(key="find_decisions").set_value("one").run()
    app.number_input(key="find_decision").set_value(int(case.rows("confirm")[0])).run()
    clicked(app, "ask_causes of decisions")
    assert "Searches must not look at the confirm rows" in texts(app)


def test_a_list_of_ids_is_reported_and_selected(open_app: Opener, case_id: str) -> None:
    app = start_from(go(open_app(case_id), "find"), find_start.LIST)
    app.file_uploader(key="find_list").set_value(("ids.csv", b"person\np3\np8\np8\nnobody\n", "text/csv")).run()
    assert not app.exception, app.exception
    counts = next(one.value for one in app.dataframe if "ids" in one.value.columns)["ids"]
    assert counts.to_dict() == {"listed": 4, "found": 2, "repeated": 1, "unknown": 1, "removed already": 0}
    assert "'nobody'" in texts(app)
    clicked(app, "find_listed")
    assert selection(app) == ("p3", "p8")
    app.file_uploader(key="find_list").set_value(("ids.csv", b"name,town\np3,x\np8,y\n", "text/csv")).run()
    assert "must have one column, or one called 'person'" in texts(app)
    next(one for one in app.selectbox if one.label == "Column with the ids").select("name").run()
    clicked(app, "find_listed")
    assert selection(app) == ("p3", "p8")


def test_suspicious_labels_and_rows_worth_a_look_are_taken(
    open_app: Opener, case_id: str, small_case: core.Case
) -> None:
    app = start_from(go(open_app(case_id), "find"), find_start.LABELS)
    clicked(app, "ask_doubtful labels")
    truth = core.suspicious_labels(core.prepare(small_case))
    table = next(one.value for one in app.dataframe if "suspicion" in one.value.columns)
    assert list(table.index) == list(truth.index[: len(table)])
    clicked(app, "take_labels")
    assert selection(app) == tuple(truth.index[:50])
    app = start_from(app, find_start.ROWS)
    clicked(app, "ask_rows worth a look")
    rows = core.records_worth_a_look(small_case)
    said = texts(app)
    for group in rows:
        assert group.sentence in said
    far = next(one.value for one in app.dataframe if "outlyingness" in one.value.columns)
    assert list(far.index) == list(rows["outliers"].ids[: len(far)])
    app.number_input(key="take_outliers_number").set_value(4).run()
    clicked(app, "take_outliers")
    assert selection(app) == rows["outliers"].ids[:4]


def test_a_plan_is_drawn_selected_and_applied(
    open_app: Opener, case_id: str, small_case: core.Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    for one in (searched, mitigators):
        monkeypatch.setattr(one, "METHODS", ("threshold_optimizer", "correlation_remover"))
    app = go(open_app(case_id), "remove")
    app.number_input(key="plan_group_share").set_value(1.0).run()
    clicked(app, "plan_go")
    gap = core.audit(small_case, METRIC, sensitive_feature=["sex"], on="explore").gaps["value"].iloc[0]
    plan = core.plan_removal(
        core.prepare(small_case),
        METRIC,
        target=round(gap / 2, 3),
        max_records=150,
        sensitive_feature="sex",
        n_random=0,
        max_group_share=0.01,
    )
    assert plan.expected is not None
    assert plan.reason.split(" goes ")[1] in texts(app)
    path = next(one.value for one in app.dataframe if "largest_group_share" in one.value.columns)
    assert path["value"].tolist() == pytest.approx(plan.path["value"].tolist())
    band = next(one.value for one in app.dataframe if "n_draws" in one.value.columns)
    assert band["n_draws"].tolist() == [20] * 4
    assert band.index[-1] == len(plan)
    clicked(app, "mitigators_go")
    points = next(one.value for one in app.dataframe if "frontier" in one.value.columns)
    truth = core.mitigate(
        core.prepare(small_case), "threshold_optimizer", metric=METRIC, sensitive_feature="sex"
    ).points
    assert points["fairness"].tolist()[0] == pytest.approx(truth["fairness"].iloc[0])
    assert set(points["method"]) == {"threshold optimizer", "correlation remover"}
    slider = next(one for one in app.slider if one.key.startswith("plan_take"))
    slider.set_value(5).run()
    assert selection(app) == tuple(plan.forget[:5])
    assert strip_rows(app)["preview"][3] == "5"
    clicked(app, "plan_select")
    assert selection(app) == tuple(plan.forget)
    clicked(app, "remove_apply")
    done = next(one.value for one in app.dataframe if "predicted" in one.value.columns and "after" in one.value.columns)
    label = core.METRICS[METRIC].label
    assert done.loc[label, "after"] == pytest.approx(plan.path["value"].iloc[-1])
    ready = core.prepare(small_case)
    scores = core.predicted_scores(ready, plan.forget)[0]
    guess = core.compare(ready, ready, sensitive_feature=["sex"], scores=scores)["after"]
    told = {core.METRICS[name].label: value for (name, _), value in guess.items()}
    assert done["predicted"].to_dict() == pytest.approx(told, abs=1e-12)
    assert (done["predicted"] != done["after"]).any()
    assert "the preview was off by" in texts(app)
    assert "Planned for another version" in texts(app)
    assert not app.success
    origin, _ = app.session_state["plan"]
    with monkeypatch.context() as patch:
        # The browser may send the plan's slider once more as it goes; the records are removed by then.
        patch.setattr(remove_plan.session, "work", lambda: app.session_state["work"])
        patch.setattr(
            remove_plan.session, "select", lambda ids: pytest.fail(f"{len(ids)} removed records were selected")
        )
        remove_plan._select(origin, tuple(plan.forget))


def test_what_errors_cost_can_stand_against_the_gap(open_app: Opener, case_id: str, small_case: core.Case) -> None:
    app = go(open_app(case_id), "remove")
    app.selectbox(key="remove_utility").set_value("cost").run()
    app.number_input(key="remove_cost_negative").set_value(4.0).run()
    assert not app.exception, app.exception
    versions = next(one.value for one in app.dataframe if "utility" in one.value.columns)
    on = small_case.rows("explore")
    wrong = small_case.decisions("explore") != small_case.y("explore")
    missed = wrong & small_case.y("explore")
    assert versions["utility"].iloc[0] == pytest.approx((wrong.sum() + 3 * missed.sum()) / len(on))
    assert "not by what errors cost" in texts(app)
    assert not [one for one in app.button if one.key == "mitigators_go"]
    clicked(app, "plan_go")
    assert "cost per record changes by" in texts(app)


def test_mitigators_run_one_after_the_other_and_one_given_up_is_passed_over(
    open_app: Opener, case_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for one in (searched, mitigators):
        monkeypatch.setattr(one, "METHODS", ("threshold_optimizer", "correlation_remover"))
    mitigate, go_on = core.mitigate, Event()

    def slow(case: core.Case, method: str, *args: object, **options: object) -> core.Mitigation:
        if method == "threshold_optimizer":
            go_on.wait(20.0)
        found = mitigate(case, method, *args, **options)  # type: ignore[arg-type]
        return replace(found, complete=method != "threshold_optimizer")

    app = go(open_app(case_id), "remove")
    monkeypatch.setattr(core, "mitigate", slow)
    monkeypatch.setattr(jobs, "QUICK_S", 0.05)
    clicked(app, "mitigators_go")
    assert app.session_state["jobs"]["mitigator"].title.endswith("threshold optimizer")
    monkeypatch.setattr(jobs, "QUICK_S", 60.0)
    clicked(app, "cancel_mitigator")
    go_on.set()
    points = next(one.value for one in app.dataframe if "frontier" in one.value.columns)
    assert set(points["method"]) == {"correlation remover"}
    assert "Not there: threshold optimizer" in texts(app)
    clicked(app, "mitigators_go_threshold_optimizer")
    points = next(one.value for one in app.dataframe if "frontier" in one.value.columns)
    assert dict(zip(points["method"], points["complete"], strict=True)) == {
        "threshold optimizer": False,
        "correlation remover": True,
    }
