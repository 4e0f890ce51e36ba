"""Results say what was found in a few lines, as HTML without any markup of others, as tables, and as figures."""

from __future__ import annotations

from dataclasses import is_dataclass, replace
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest
from sklearn.linear_model import LogisticRegression

import core
from core.errors import InputError
from core.metrics import METRICS
from core.metrics.catalog import shown
from core.metrics.policy import PROFILES, held_against
from core.shown import MOST_ROWS, Shown

GAP = "equal_opportunity_difference"
FEATURE = "<img src=x onerror=alert(1)>"
GROUPS = ("<script>alert(2)</script>", "m & m\x1b[31m")
BRANCH = 'branch "<b>"'
TAGS = {"div", "p", "b", "br", "table", "thead", "tbody", "tr", "th", "td"}


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(scope="module")
def case() -> core.Case:
    draw = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "income": draw.normal(size=3000),
            FEATURE: draw.choice(GROUPS, 3000),
            BRANCH: draw.choice(["<north>", "south", "west"], 3000),
            "id": [f"<i>{number}" for number in range(3000)],
        }
    )
    table["granted"] = (table["income"] + draw.logistic(size=3000) / 3 > 0).astype(int)
    table["here"] = (table[FEATURE] == GROUPS[0]).astype(float)
    train = table[:1500].copy()
    train.loc[(train[BRANCH] == "<north>") & (train[FEATURE] == GROUPS[0]), "granted"] = 0
    model = LogisticRegression(solver="newton-cholesky", tol=1e-12).fit(train[["income", "here"]], train["granted"])
    roles = core.Roles("granted", 1, 1, [FEATURE], features=["income", "here"], record_id="id")
    return core.Case(model, train, table[1500:], roles)


@pytest.fixture(scope="module")
def results(case: core.Case) -> dict[str, Any]:
    ids = core.harmful(core.influence(case, GAP))[:30]
    removed = core.unlearn(case, ids)
    rules = core.explain_gap(case, GAP, max_predicates=2, top_k=2, columns=[BRANCH, FEATURE])
    return {
        "AuditReport": core.audit(case),
        "rates": core.audit(case, ["accuracy", "selection_rate"]),
        "UnlearnResult": removed,
        "edited": core.edit(case, {ids[0]: 1 - int(case.train["granted"].iloc[case.positions(ids[:1])[0]])}),
        "refit": core.refit(removed.case),
        "Explanation": rules,
        "Subset": rules[0],
        "Plan": core.plan_removal(case, GAP, target=0.1, max_utility_drop=0.2, n_random=2, expected=False),
        "HarmfulRecords": core.take_harmful(case, GAP, expected=False),
        "Provenance": core.check_provenance(case),
        "Mitigation": core.mitigate(case, "threshold_optimizer"),
        "none": core.mitigate(case, "threshold_optimizer", metric="precision_difference"),
        "RetrainGap": core.retrain_gap(removed.case),
        "Guardrails": core.guardrails(case, removed.case),
        "PolicyReport": core.apply_policy(case, "impact_ratios"),
        "WorstSlices": core.worst_slices(case, GAP, max_predicates=2, top_k=3),
        "Slice": core.worst_slices(case, max_predicates=1, columns=[BRANCH, FEATURE], top_k=1)[0],
        "WorthALook": core.records_worth_a_look(case),
        "RecordGroup": core.records_worth_a_look(case)["outliers"],
    }


NAMES = [
    *("AuditReport", "rates", "UnlearnResult", "edited", "refit", "Explanation", "Subset", "Plan"),
    *("HarmfulRecords", "Provenance", "Mitigation", "none", "RetrainGap", "Guardrails"),
    *("WorthALook", "RecordGroup", "WorstSlices", "Slice", "PolicyReport"),
]
HOLD_NAMES = {"AuditReport", "Explanation", "Subset", "Plan", "HarmfulRecords", "Mitigation", "Guardrails"}


@pytest.mark.parametrize("name", NAMES)
def test_a_result_says_what_was_found_in_a_few_lines(results: dict[str, Any], name: str) -> None:
    found = results[name]
    assert isinstance(found, Shown)
    text = repr(found)
    assert 1 <= len(text.splitlines()) <= 9
    assert text.replace("\n", "").isprintable()
    assert "dtype" not in text
    assert "=Case(" not in text
    if name in HOLD_NAMES - {"Subset"}:
        assert FEATURE in text


@pytest.mark.parametrize("name", NAMES)
def test_no_markup_of_names_reaches_the_page(results: dict[str, Any], name: str) -> None:
    page = results[name]._repr_html_()
    parsed = Tags()
    parsed.feed(page)
    assert {tag for tag, _ in parsed.found} <= TAGS
    for _, attributes in parsed.found:
        assert attributes.keys() <= {"class", "border", "style", "rowspan", "colspan", "valign"}
    for evil in ("<img", "<script", "<north", "<i>", 'h "<b>'):
        assert evil not in page
    assert page.replace("\n", "").isprintable()
    if name in HOLD_NAMES - {"Subset"}:
        assert FEATURE in parsed.text, "as text it is there"


@pytest.mark.parametrize("name", NAMES)
def test_a_result_is_a_table_of_its_own(results: dict[str, Any], name: str) -> None:
    found = results[name]
    table = found.to_frame()
    assert isinstance(table, pd.DataFrame)
    assert isinstance(table.index, pd.RangeIndex) or name == "HarmfulRecords"
    again = found.to_frame()
    table["added"] = 1
    assert found.to_frame().equals(again), "a change of the table does not reach the result"
    assert len(again) == {
        "AuditReport": len(results["AuditReport"].gaps),
        "rates": 2,
        "Explanation": len(results["Explanation"]),
        "Plan": len(results["Plan"].path),
        "HarmfulRecords": len(results["HarmfulRecords"].curve),
        "none": 0,
        "WorthALook": len(results["WorthALook"]),
        "PolicyReport": 2,
        "WorstSlices": len(results["WorstSlices"]),
        "RecordGroup": len(results["RecordGroup"]),
        "Guardrails": len(results["Guardrails"].groups) + len(results["Guardrails"].metrics),
    }.get(name, 1)


@pytest.mark.parametrize(
    "name",
    ["AuditReport", "UnlearnResult", "edited", "refit", "Explanation", "Plan", "HarmfulRecords", "Mitigation"],
)
def test_a_result_plots_itself(results: dict[str, Any], name: str) -> None:
    figure = results[name].plot()
    assert type(figure) is go.Figure
    assert figure.layout.meta["title"]
    assert "<img" not in figure.to_json()


def test_an_audit_says_the_largest_gap_and_plots_gaps_and_rates(results: dict[str, Any]) -> None:
    report = results["AuditReport"]
    differences = report.gaps[[METRICS[name].kind == "difference" for name, _ in report.gaps.index]]
    metric = differences["value"].idxmax()[0]
    heading, first, *_ = repr(report).splitlines()
    row = report.gaps.loc[(metric, FEATURE)]
    assert heading == f"Audit of {report.n:,} test rows, 95% intervals"
    assert first.startswith(f"  {metric} of {FEATURE}: {row['value']:.3f} ({row['low']:.3f} to {row['high']:.3f}); ")
    gaps = report.plot("ratio", profile="Four-fifths rule: ratios from 0.8")
    table = held_against(report, FEATURE, "Four-fifths rule: ratios from 0.8")
    ratios = table[[METRICS[name].kind == "ratio" for name in table["metric"]]]
    assert list(gaps.data[0].x) == ratios["value"].tolist()
    assert set(gaps.data[1].x) == {0.8}
    rates = report.plot("selection_rate", sensitive_feature=(FEATURE,))
    assert [trace.x[0] for trace in rates.data] == report.by_group["selection_rate"].tolist()
    for what, options, words in (
        ("selection", {}, "Did you mean 'selection_rate'"),
        ("difference", {"sensitive_feature": "age"}, "one that was audited"),
        ("difference", {"profile": "none"}, f"one of {next(iter(PROFILES))!r}"),
    ):
        with pytest.raises(InputError, match=words):
            report.plot(what, **options)
    with pytest.raises(InputError, match="must have differences of"):
        results["rates"].plot()


def test_a_step_is_drawn_as_an_audit_measures_it(case: core.Case, results: dict[str, Any]) -> None:
    removed = results["UnlearnResult"]
    shift = core.compare(case, removed.case, metric=[GAP, "accuracy"])
    figure = removed.plot(GAP)
    versions = [trace for trace in figure.data if trace.name in ("earlier or undone", "now")]
    assert [trace.x[0] for trace in versions] == shift.loc[(GAP, FEATURE), ["before", "after"]].tolist()
    assert [trace.y[0] for trace in versions] == shift.loc[("accuracy", "(all)"), ["before", "after"]].tolist()
    with pytest.raises(InputError, match="must compare groups"):
        removed.plot("accuracy")
    assert repr(removed).startswith("30 records of 1,500 removed: newton, ")
    assert "certified: lies within a proven distance" in repr(removed)
    assert repr(results["edited"]).startswith("1 record of 1,500 edited: ")
    assert repr(results["refit"]).startswith("The same 1,470 records: refit, ")


def test_harmful_records_are_drawn_as_predicted_and_as_measured(case: core.Case, results: dict[str, Any]) -> None:
    best = results["HarmfulRecords"]
    after = core.audit(core.unlearn(case, best.forget).case, GAP, on="explore").gaps.loc[(GAP, FEATURE), "value"]
    predicted, measured, worst, accuracy = best.plot().data
    assert list(predicted.x) == best.curve["n_removed"].tolist()
    assert list(predicted.y) == best.curve["gap"].tolist()
    assert (list(measured.x), list(measured.y)) == ([0, len(best.forget)], [best.before, pytest.approx(after)])
    assert list(worst.y) == best.curve["worst_rate"].tolist()
    assert list(accuracy.y) == best.curve["utility"].tolist()
    title = best.plot().layout.meta["title"]
    assert f"{len(best.forget)} records removed" in title
    assert title.endswith(f"measured on the {best.n_rows:,} explore rows searched")
    none = replace(best, forget=best.forget[:0], after=best.before).plot()
    assert list(none.data[1].x) == [0]
    assert none.layout.meta["title"].startswith("No first records of the ranking bring")


def test_a_metric_of_all_rows_is_drawn_along_a_ranking_without_a_group(case: core.Case) -> None:
    best = core.take_harmful(case, "accuracy", max_records=20, n_sizes=3, expected=False)
    assert len(best.plot().data) == 3


def test_rules_are_drawn_as_measured_and_as_predicted(results: dict[str, Any]) -> None:
    found = results["Explanation"]
    measured, predicted = found.plot().data
    assert list(measured.x) == [one.verified for one in found]
    assert list(predicted.x) == [one.predicted for one in found]
    assert f"on {found.n_rows:,} explore rows" in repr(found)
    assert repr(found[0]).startswith(found[0].rule)


def test_a_mitigation_says_what_changes_against_the_case_itself(case: core.Case, results: dict[str, Any]) -> None:
    point = results["Mitigation"].points.iloc[0]
    own = core.audit(case, GAP, on="explore").gaps["value"].iloc[0]
    assert point["fairness_before"] == pytest.approx(own, abs=1e-12)
    assert f"{GAP} of {FEATURE}: {own:.3f} -> {point['fairness']:.3f}" in repr(results["Mitigation"])
    with pytest.raises(InputError, match="There must be a point to draw"):
        results["none"].plot()


def test_a_long_table_is_cut_short_on_the_page(case: core.Case) -> None:
    report = core.audit(case, shown("difference", "ratio"), n_resamples=50)
    assert len(report.gaps) > MOST_ROWS
    page = report._repr_html_()
    assert page.count("<tr") == MOST_ROWS + 1
    assert f"The first {MOST_ROWS} of {len(report.gaps)} rows." in page


def test_every_public_result_shows_itself() -> None:
    plain = {
        "AtRate",
        "Family",
        "IdList",
        "Measured",
        "Roles",
        "SplitCheck",
        "ExpectedGain",
        "GapProfile",
        "PolicyProfile",
    }
    for name in core.__all__:
        public = getattr(core, name)
        if isinstance(public, type) and is_dataclass(public) and name not in plain:
            assert issubclass(public, Shown), name
