"""Searches that a person starts.

Rules, plans, mitigators, causes of decisions, doubtful labels, rows worth a look; each off the script thread, None while on its way.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import pandas as pd

import core
from core.mitigation import METHODS
from core.plans.random_removals import band
from core.typing import Feature
from dashboard import cached
from dashboard.components import computing
from dashboard.jobs import GivenUpError, Report
from dashboard.measures import Measure, PlanSettings
from dashboard.work import Work

RULES_SEARCH, PLAN, BAND, MITIGATOR = "rules", "plan", "random removals", "mitigator"
PLAN_EXPECTED, RULES_EXPECTED = "expected gain of a plan", "expected gains of rules"
HARMFUL, HARMFUL_EXPECTED = "most harmful", "expected gain of the most harmful"
DECISIONS, LABELS, COMPARED_ROWS = "causes of decisions", "doubtful labels", "rows worth a look"
SLICES = "worst slices"
EXPECTING = "Searching on halves of the rows, to see what to expect on others"
SIZES = 4
"""Sizes, spread over a plan's path, at which records are removed at random."""

RuleSettings = tuple[int, float, float]
"""Most conditions, fewest and most of the records as shares."""


def rules(work: Work, settings: RuleSettings) -> core.Explanation | None:
    """Return the rules that explain the gap; a search that was stopped gives what it had.

    Raises
    ------
    RedressError
        If there is no gap, or no rule within the bounds.
    """
    case = cached.case(work)

    def make(report: Report) -> core.Explanation:
        stopped = False

        def progress(share: float, doing: str) -> None:
            nonlocal stopped
            try:
                report(share, doing)
            except GivenUpError:
                stopped = True

        max_predicates, min_support, max_support = settings
        return core.explain_gap(
            case,
            work.metric,
            sensitive_feature=work.feature,
            max_predicates=max_predicates,
            min_support=min_support,
            max_support=max_support,
            progress=progress,
            cancelled=lambda: stopped,
        )

    found: core.Explanation | None = computing.result(
        work, RULES_SEARCH, "Explaining the gap", make, work.metric, work.feature, settings, partial=True
    )
    return found


def rules_expected(work: Work, settings: RuleSettings, found: core.Explanation) -> core.Explanation | None:
    """Return the rules with what to expect on rows that were not searched.

    None while that is on its way.
    """
    if not found.complete or not len(found):
        return found
    with_gains: core.Explanation | None = computing.result(
        work,
        RULES_EXPECTED,
        EXPECTING,
        lambda report: core.expected_gains(found, progress=report),
        work.metric,
        work.feature,
        settings,
    )
    return with_gains


def found_plan(origin: Work, settings: PlanSettings) -> core.Plan | None:
    """Return the plan from a version on.

    Raises
    ------
    RedressError
        If the gap is undefined there, or the caps leave nobody to remove.
    """

    def make(report: Report) -> core.Plan:
        case = cached.case(origin)
        found = core.plan_removal(
            case,
            origin.metric,
            target=settings.target,
            utility=settings.measure.name,
            max_utility_drop=settings.max_utility_drop,
            max_records=settings.max_records,
            sensitive_feature=origin.feature,
            max_group_share=settings.max_group_share,
            cost=settings.measure.cost(),
            n_random=0,
            expected=False,
            progress=report,
        )
        return replace(found, case=case)

    found: core.Plan | None = computing.result(
        origin, PLAN, "Planning the removal", make, origin.metric, origin.feature, settings
    )
    return found


def plan_expected(origin: Work, settings: PlanSettings, found: core.Plan) -> core.Plan | None:
    """Return the plan with the gain to expect on rows that were not searched.

    None while that is on its way.
    """
    if not len(found):
        return found
    with_gain: core.Plan | None = computing.result(
        origin,
        PLAN_EXPECTED,
        EXPECTING,
        found.with_expected,
        origin.metric,
        origin.feature,
        settings,
    )
    return with_gain


def harmful_records(work: Work) -> core.HarmfulRecords | None:
    """Return how many of the most harmful records are worth taking, and the curve.

    Raises
    ------
    RedressError
        If the metric is undefined or has no better end, or nothing predicts what records do.
    """
    found: core.HarmfulRecords | None = computing.result(
        work,
        HARMFUL,
        "Looking along the ranking",
        lambda report: core.take_harmful(
            cached.case(work), work.metric, sensitive_feature=work.feature, expected=False, progress=report
        ),
        work.metric,
        work.feature,
    )
    return found


def harmful_expected(work: Work, found: core.HarmfulRecords) -> core.HarmfulRecords | None:
    """Return the same records with the gain to expect on rows that were not searched.

    None while that is on its way.
    """
    with_gain: core.HarmfulRecords | None = computing.result(
        work, HARMFUL_EXPECTED, EXPECTING, found.with_expected, work.metric, work.feature
    )
    return with_gain


def random_band(origin: Work, settings: PlanSettings, n: int) -> pd.DataFrame | None:
    """Return the band that removing up to `n` records at random reaches, by size."""
    measure = settings.measure
    sizes = sorted({-(-n * part // SIZES) for part in range(1, SIZES + 1)})

    def make(report: Report) -> pd.DataFrame:
        draws = core.random_removals(
            cached.case(origin),
            sizes,
            metric=origin.metric,
            sensitive_feature=origin.feature,
            utility=measure.name,
            cost=measure.cost(),
            progress=report,
        )
        return band(draws)

    found: pd.DataFrame | None = computing.result(
        origin, BAND, "Removing as many at random", make, *band_settings(origin, settings, n)
    )
    return found


def band_settings(origin: Work, settings: PlanSettings, n: int) -> tuple[Any, ...]:
    """Return what the band depends on."""
    return (origin.metric, origin.feature, settings.measure, n)


def mitigators(origin: Work, measure: Measure) -> dict[str, core.Mitigation]:
    """Return what each of fairlearn's mitigators makes of a version, so far.

    They run one after the other; those given up are left out.
    """
    found = {}
    for method in METHODS:
        settings = mitigator_settings(origin, measure, method)
        title = f"Running fairlearn's {method.replace('_', ' ')}"
        one = computing.result(origin, MITIGATOR, title, partial(_mitigation, origin, measure, method), *settings)
        if one is not None:
            found[method] = one
        elif not computing.is_given_up(origin, MITIGATOR, *settings):
            break
    return found


def mitigator_settings(origin: Work, measure: Measure, method: str) -> tuple[Any, ...]:
    """Return what a mitigator's result depends on."""
    return (origin.metric, origin.feature, measure, method)


def _mitigation(origin: Work, measure: Measure, method: str, report: Report) -> core.Mitigation:
    found = core.mitigate(
        cached.case(origin),
        method,
        metric=origin.metric,
        sensitive_feature=origin.feature,
        utility=measure.name,
        progress=report,
    )
    return replace(found, decisions=(), models=())


def decision_causes(work: Work, kind: str, group: str | None, row: int | None) -> pd.Series[float] | None:
    """Return what removing each training record would do to the probability of decisions.

    These are some decisions, or one.

    Raises
    ------
    RedressError
        If nothing predicts that, or the row is kept for confirming.
    """
    case = cached.case(work)

    def make(report: Report) -> pd.Series[float]:
        report(0.0, "")
        if row is not None:
            return core.influence_on_decisions(case, case.test_ids[[row]])
        rows = core.choose_decisions(case, kind, sensitive_feature=work.feature, group=group)
        return core.influence_on_decisions(case, rows)

    found: pd.Series[float] | None = computing.result(
        work, DECISIONS, "Tracing the decisions to the training records", make, work.feature, kind, group, row
    )
    return found


def labels(work: Work) -> pd.DataFrame | None:
    """Return the retained records by how little their label is to be believed.

    Raises
    ------
    RedressError
        If there are too few records of a class.
    """
    found: pd.DataFrame | None = computing.result(
        work,
        LABELS,
        "Looking for suspicious labels",
        lambda report: core.suspicious_labels(cached.case(work), progress=report),
    )
    return found


def rows_worth_a_look(work: Work) -> core.WorthALook | None:
    """Return the retained records that leak, repeat, contradict others or stand far off."""
    found: core.WorthALook | None = computing.result(
        work,
        COMPARED_ROWS,
        "Comparing the records",
        lambda report: core.records_worth_a_look(cached.case(work), progress=report),
    )
    return found


def slices_of(work: Work, metric: str, feature: Feature | None) -> core.WorstSlices | None:
    """Return the slices of the rows searched in which a metric is worst.

    Raises
    ------
    RedressError
        If there are too few rows that the metric is of.
    """
    found: core.WorstSlices | None = computing.result(
        work,
        SLICES,
        "Trying slices",
        lambda report: core.worst_slices(cached.case(work), metric, sensitive_feature=feature, progress=report),
        metric,
        feature,
    )
    return found
