"""Reasons, the first gap, warnings, exact after approximate, and results that take long."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from threading import Event

import pandas as pd
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from streamlit.testing.v1 import AppTest

import core
from core.figures import reasons
from core.metrics import METRICS
from dashboard import jobs, workspace
from dashboard.app_pages.remove import changes
from dashboard.components import warnings
from dashboard.history import Step, take
from dashboard.meaning import first_metric, label, of_gap
from tests.dashboard.conftest import Opener
from tests.dashboard.test_pages import go, strip_rows


@pytest.fixture(scope="module")
def boosted(small_case: core.Case) -> core.Case:
    columns = ["age", "income", "debt"]
    model = HistGradientBoostingClassifier(max_iter=8, random_state=0)
    model.fit(small_case.train[columns], small_case.train["granted"])
    return core.Case(model, small_case.train, small_case.test, small_case.roles)


def captions(app: AppTest) -> str:
    return " ".join(one.value.replace("\\", "") for one in app.caption)


def test_a_record_opens_with_its_reasons_before_and_after(
    open_app: Opener, case_id: str, small_case: core.Case
) -> None:
    app = go(open_app(case_id), "find")
    app.session_state["record"] = "p7"
    app.run()
    assert not app.exception, app.exception
    assert "SHAP values in log-odds" in captions(app)
    opened = next(one.value for one in app.dataframe if "as opened" in one.value.columns)
    truth = core.reasons(small_case, ["p7"]).iloc[0]
    assert opened["as opened"].round(9).to_dict() == truth.round(9).to_dict()
    app.number_input(key="find_number").set_value(9).run()
    go(app, "remove")
    app.button(key="remove_apply").click().run()
    go(app, "find")
    both = next(one.value for one in app.dataframe if "as opened" in one.value.columns)
    assert list(both.columns) == ["value", "as opened", "now"]
    assert (both["as opened"] != both["now"]).any()
    app.toggle(key="find_model_reasons").set_value(True).run()
    assert not app.exception, app.exception
    assert "Mean absolute SHAP value over 100 training records" in captions(app)


def test_an_approximate_removal_is_made_exact_as_a_version_of_its_own(
    open_app: Opener, boosted: core.Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = go(open_app(workspace.store(boosted, "Boosted")), "find")
    app.number_input(key="find_number").set_value(12).run()
    taken = list(app.session_state["work"].selection)
    go(app, "remove")
    assert "leaf_refit comes after refit: training again takes only about 0.0" in captions(app)
    assert "was really trained again without them" in " ".join(one.value for one in app.info)
    monkeypatch.setattr("core.families.boosting.unlearner.SOON", 0.0)
    app.run()
    assert "comes after refit" not in captions(app)
    ways = " ".join(next(one for one in app.radio if one.key == "remove_method").proto.captions)
    assert "The model comes without proof that it equals training again" in ways
    app.button(key="remove_apply").click().run()
    assert "there is no proof" in " ".join(one.value for one in app.markdown)
    app.button(key="exact").click().run()
    assert not app.exception, app.exception
    assert [step.kind for step in app.session_state["work"].steps] == ["unlearn", "refit"]
    exact = core.unlearn(boosted, taken, method="refit").case
    gap = (
        core.audit(exact, "equal_opportunity_difference", sensitive_feature=["sex"], on="explore").gaps["value"].iloc[0]
    )
    assert strip_rows(app)["now"][0] == f"{gap:.3f}"
    assert strip_rows(app)["now"][3] == "12"
    opened = strip_rows(app)["before"][0]
    said = " ".join(one.value for one in app.markdown).replace("\\", "")
    assert f"before training again, {gap:.3f} now; {opened} as opened" in said
    assert not [one for one in app.button if one.key == "exact"]
    app.button(key="strip_move_Undo").click().run()
    assert [one for one in app.button if one.key == "exact"]
    app.number_input(key=f"plan_records_{app.session_state['work'].case_id}").set_value(3).run()
    app.button(key="plan_go").click().run()
    assert "leaf_refit, tried first, is approximate" in captions(app)


def test_training_again_forgets_no_more(boosted: core.Case) -> None:
    removed = core.unlearn(boosted, boosted.record_ids[:20], method="leaf_refit").case
    again = take(removed, Step("refit"))
    assert again.result is not None
    assert again.result.guarantee is core.Guarantee.EXACT
    assert again.case.n_retained == removed.n_retained


def test_the_first_gap_follows_which_outcome_is_good() -> None:
    lending, fraud = core.Roles("granted", 1, 1, ["sex"]), core.Roles("fraud", 1, 0, ["region"])
    assert first_metric(lending) == "equal_opportunity_difference"
    assert first_metric(fraud) == "false_positive_rate_difference"
    assert of_gap("equal_opportunity_difference", lending) == "of those with granted = 1, the share decided granted = 1"
    assert "fraud = 1" in of_gap("false_positive_rate_difference", fraud)
    assert "not flagged" in of_gap("false_positive_rate_difference", fraud)


@pytest.mark.parametrize(
    ("metric", "words"),
    [
        ("false_positive_rate_difference", "Gap in the share missed"),
        ("true_negative_rate_ratio", "Ratio of the share found"),
        ("false_negative_rate", "Share flagged wrongly"),
        ("equalized_odds_difference", "Gap in equalized odds"),
    ],
)
def test_metrics_are_called_by_what_they_are_where_the_scored_class_is_bad(metric: str, words: str) -> None:
    assert label(metric, core.Roles("fraud", 1, 0, ["region"])) == words
    assert label(metric, core.Roles("granted", 1, 1, ["sex"])) == METRICS[metric].label


def test_a_selection_that_widens_the_gap_is_warned_of(open_app: Opener, case_id: str, small_case: core.Case) -> None:
    helpful = core.harmful(
        core.influence(core.prepare(small_case), "equal_opportunity_difference", sensitive_feature="sex")
    )[::-1][:40]
    app = go(open_app(case_id), "find")
    for ids, warned in ((tuple(helpful), True), ((), False)):
        app.session_state["work"] = replace(app.session_state["work"], selection=ids)
        app.run()
        texts = [
            one.value
            for one in app.warning
            if "worsen the gap in people labelled good who are served by sex" in one.value
        ]
        assert bool(texts) is warned


def test_groups_that_end_level_are_not_said_to_change_places(small_case: core.Case) -> None:
    gap, ratio = "equal_opportunity_difference", "demographic_parity_ratio"
    values = {"before": 0.0002, "low": -0.01, "high": 0.02, "reversed": True}
    for metric, after, over in ((gap, 0.0004, False), (gap, 0.0202, True), (ratio, 0.9998, False), (ratio, 0.97, True)):
        assert ("change places" in warnings._part(metric, "sex", {**values, "after": after})) is over
    table = core.compare(small_case, small_case, metric=[gap, ratio], sensitive_feature=["sex"])
    for after, ahead in (({gap: 0.0004, ratio: 0.9998}, "m"), ({gap: 0.01, ratio: 0.9}, "m, then f")):
        now = [after[name] for name, _ in table.index]
        ended = table.assign(reversed=True, after=now, ahead_before="m", ahead_after="f")
        assert changes.readable(ended, small_case.roles)["ahead"].tolist() == [ahead] * 2


def test_a_long_result_shows_its_progress_and_can_be_given_up(
    open_app: Opener, case_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = open_app(case_id)
    go_on, ended = Event(), Event()
    influence = core.influence

    def slow(*args: object, **options: object) -> object:
        go_on.wait(20.0)
        ended.set()
        return influence(*args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(core, "influence", slow)
    monkeypatch.setattr(jobs, "QUICK_S", 0.05)
    app.switch_page("app_pages/find/page.py").run()
    assert not app.exception, app.exception
    assert "On its way" in captions(app)
    assert len(app.dataframe) >= 1, "the records are there without their influence"
    app.button(key="cancel_influence").click().run()
    assert app.button(key="compute_influence").label == "Compute it after all"
    go_on.set()
    assert ended.wait(20.0)
    monkeypatch.setattr(jobs, "QUICK_S", 60.0)
    app.button(key="compute_influence").click().run()
    assert not app.exception, app.exception
    assert "On its way" not in captions(app)
    assert app.number_input(key="find_number")


def test_what_does_not_fit_into_memory_is_said_and_can_be_tried_again(
    open_app: Opener, home: Path, small_case: core.Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    columns, train = ["age", "debt"], small_case.train
    model = RandomForestClassifier(3, max_depth=4, random_state=0).fit(train[columns], train["granted"])
    case_id = workspace.store(core.Case(model, train, small_case.test, small_case.roles), "Forest")
    monkeypatch.setenv("REDRESS_MAX_MEMORY_MB", "0.01")
    app = go(open_app(case_id), "find")
    sentence = "Adopting 3 trees of 1,500 rows must fit into memory"
    assert sentence in " ".join(one.value for one in app.info).replace("\\", "")
    app.session_state["work"] = replace(app.session_state["work"], selection=("p1", "p2"))
    go(app, "remove")
    told = " ".join(one.value for one in app.info).replace("\\", "")
    assert sentence in told
    assert "Apply shows the change" in told
    app.button(key="remove_apply").click().run()
    assert "2 records removed" in " ".join(one.value for one in app.markdown)
    app.button(key="strip_move_Undo").click().run()
    go(app, "find")
    monkeypatch.delenv("REDRESS_MAX_MEMORY_MB")
    next(one for one in app.button if one.label == "Try again").click().run()
    assert any("gap" in one.value for one in app.dataframe)
    assert not app.exception, app.exception


def test_the_chart_of_reasons_names_the_largest_of_the_version_in_force() -> None:
    table = pd.DataFrame({"as opened": [0.9, 0.1], "now": [-0.2, 0.4]}, index=["<b>age", "debt"])
    figure = reasons.of_record(table, 3, "granted = 1", "log-odds")
    assert figure.layout.meta["title"] == "debt speaks most for granted = 1 in record 3: +0.400 log-odds"
    assert [bar.name for bar in figure.data] == ["as opened", "now"]
    assert figure.data[0].marker.pattern.shape != figure.data[1].marker.pattern.shape, "colour is not the only sign"
    assert "<b>" not in figure.data[0].y[0]
    assert figure.layout.xaxis.title.text == "adds to the log-odds of<br>granted = 1"
    narrow = reasons.of_record(table, 3, "subscribed_term_deposit = yes", "log-odds").layout.xaxis.title.text
    assert narrow == "adds to the log-odds of<br>subscribed_term_deposit<br>= yes"
    long = reasons.of_record(table, 3, "subscribed_long_term_deposit = yes", "log-odds").layout.xaxis.title.text
    assert long == "adds to the log-odds", "a phone would cut off the rest, which the title says"
