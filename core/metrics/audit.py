"""The audit: rates per group and intersection, gaps between groups, how sure they are."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from core.case.arguments import check_number
from core.case.case import Case, check_case
from core.case.groups import MAX_COMBINATIONS, Groups
from core.errors import InputError, InputTypeError, NotSupportedError, listed, whole_number
from core.former import formerly
from core.metrics.audit_tables import GAP_COLUMNS, gap_row, gap_table, group_table, notes, spelling_notes
from core.metrics.catalog import Metric, metrics_of
from core.metrics.conditional.within import strata_of, stratified
from core.metrics.group_evidence import rate_evidence
from core.metrics.reference import (
    REFERENCE_COLUMNS,
    Reference,
    against_table,
    joined_against,
    reference_groups,
    reference_row,
)
from core.metrics.report import AuditReport
from core.metrics.samples import GroupSample, Sample, feature_name, generator, occupied
from core.metrics.weights import SampleWeight, audited_weights

N_RESAMPLES = 2000
MOST_RESAMPLES = 100_000
LEVEL = 0.95
GIVEN = "weights given"
"""What weights are called that are no column."""
SensitiveFeatures: TypeAlias = str | Iterable[str | Sequence[str]] | None
"""One name, a tuple for an intersection, or a list of these; None is all."""


@formerly("on", renamed={"features": "sensitive_feature"}, synonyms={"metrics": "metric"}, several=True)
def audit(
    case: Case,
    metric: str | Iterable[str] | None = None,
    *,
    sensitive_feature: SensitiveFeatures = None,
    on: str | None = None,
    where: str | None = None,
    sample_weight: SampleWeight = None,
    control_features: str | Sequence[str] | None = None,
    reference: Reference = None,
    n_resamples: int = N_RESAMPLES,
    level: float = LEVEL,
    seed: int = 0,
) -> AuditReport:
    """Audit a case: rates of every group and intersection, gaps, intervals and tests.

    Costs one pass over the records per sensitive feature; resampling works on cell counts and does not grow with them.

    Parameters
    ----------
    case : Case
        What to audit.
    metric : str or list of str, optional
        Names from `core.metrics.METRICS`; None is `DEFAULT_METRICS`.
    sensitive_feature : str, tuple of str, or list of these, optional
        Whose groups; a tuple is an intersection. None is each of the case's, and of several the intersection of all.
    on : {"explore", "confirm", "test"}, optional
        Which rows. None describes a model as opened on all test rows, one that was changed on the explore rows, where its records were
        searched. A look at confirm rows by a changed case is counted.
    where : str, optional
        A condition on these rows, as "month >= '2025-07' and region = 'north'"; only those it holds for are looked at. As for `Case.only`.
    sample_weight : str or array, optional
        What each audited row counts, as in a survey: a column of the test table, or a number for each of its rows. Enters every rate, gap,
        interval and test. None counts each row once.
    control_features : str or list of str, optional
        Columns of the test table within whose strata groups are compared, too (conditional parity): `AuditReport.strata`. Numbers are binned.
    reference : mapping of str to str, optional
        The group of each sensitive feature that the others are compared with, as {"sex": "male"}: further columns of `AuditReport.gaps`,
        and `AuditReport.against`.
    n_resamples : int
        Resamples for intervals and permutations for p-values.
    level : float
        Coverage of the intervals, between 0 and 1.
    seed : int
        Seed of the resamples.

    Returns
    -------
    AuditReport

    Raises
    ------
    InputError
        If a metric, feature, split or level does not exist, or a weight is missing or negative.
    NotSupportedError
        If a metric asked for by name needs probabilities and the model gives none.

    Notes
    -----
    Rates have Wilson intervals, the ROC AUC DeLong's, other means normal ones. Gaps have multinomial-bootstrap intervals that
    hold for the largest of all pairs of groups, and permutation p-values; see docs/METHODS.md.

    Examples
    --------
    >>> import core, numpy as np, pandas as pd
    >>> from sklearn.linear_model import LogisticRegression
    >>> rng = np.random.default_rng(0)
    >>> table = pd.DataFrame({"income": rng.normal(size=400), "sex": ["f", "m"] * 200})
    >>> table["granted"] = (table.income + 0.8 * (table.sex == "m") > 0).astype(int)
    >>> model = LogisticRegression().fit(table[["income"]], table.granted)
    >>> case = core.Case(model, table, table, core.Roles("granted", 1, 1, ["sex"]), confirm=False)
    >>> report = audit(case, ["demographic_parity_difference", "equal_opportunity_difference"])
    >>> report.gaps.loc[("equal_opportunity_difference", "sex"), "worst_group"]
    'm'
    >>> report
    Audit of 400 test rows, 95% intervals
      equal_opportunity_difference of sex: ... (... to ...); m at the bad end, f at the good end
      demographic_parity_difference of sex: ... (... to ...); f at the bad end, m at the good end
    >>> report.plot("selection_rate").layout.meta["title"]
    'Share given the good outcome: ... of f, ... of m'
    """
    check_case(case)
    case = case.only(where)
    on = described_on(case) if on is None else on
    weight = audited_weights(sample_weight, case.test, case.rows(on))
    sample = replace(sample_of(case, on), weight=weight)
    case.looked_at(on, "audit")
    chosen, left_out = usable(metrics_of(metric), probability=sample.probability, asked=metric is not None)
    report = audit_arrays(
        sample,
        [case.groups(feature, on) for feature in audited_features(case, sensitive_feature)],
        chosen,
        n_resamples=n_resamples,
        level=level,
        seed=seed,
        on=on,
        control=strata_of(case.test, case.rows(on), case.roles, control_features),
        reference=reference,
    )
    if sensitive_feature is None and _combinations(case) > MAX_COMBINATIONS:
        left_out.append(
            f"The intersection of all sensitive features has {_combinations(case):,} combinations and is left out; ask for fewer together."
        )
    own = case.roles.sample_weight
    if sample_weight is None and own is not None and own in case.test:
        left_out.append(f"The weights of the test rows in {own!r} are left out; sample_weight={own!r} counts by them.")
    return replace(
        report,
        notes=(*left_out, *report.notes),
        looks=len(case.looks),
        where=case.where,
        sample_weight=sample_weight if isinstance(sample_weight, str) else report.sample_weight,
    )


def described_on(case: Case) -> str:
    """Return the rows that describe a case.

    All test rows for a model as opened, else the explore rows.
    """
    return "test" if case.as_opened else "explore"


def sample_of(case: Case, on: str, scores: np.ndarray[Any, np.dtype[np.float64]] | None = None) -> Sample:
    """Return a case's labels, decisions and scores in terms of the favourable label.

    `scores` replaces the model's own.
    """
    positive = case.scores(on) if scores is None else _as_scores(scores, len(case.rows(on)))
    decided = case.decisions(on) if scores is None else case.decide(positive)
    probability = case.score_kind == "probability"
    same = case.favorable_is_positive
    favorable = positive if same else 1.0 - positive if probability else -positive
    return Sample(case.favorable(case.y(on)), case.favorable(decided), favorable, probability, same)


def _as_scores(scores: object, n_rows: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    values = np.asarray(scores)
    if values.shape != (n_rows,) or values.dtype.kind not in "fiu" or not np.isfinite(values).all():
        raise InputError(
            f"Scores must be {n_rows:,} finite numbers, one per row. Got {type(scores).__name__} of shape {values.shape}; take them from "
            "core.predicted_scores."
        )
    return values.astype(np.float64, copy=False)


def check_resampling(n_resamples: int, level: float) -> None:
    """Raise unless intervals of this level can be had from so many resamples."""
    check_number("level", level)
    whole_number("n_resamples", n_resamples)
    if not 0.0 < level < 1.0 or not 1 <= n_resamples <= MOST_RESAMPLES:
        raise InputError(
            f"level must be between 0 and 1 and n_resamples at least 1 and at most {MOST_RESAMPLES:,}. "
            f"Got {level} and {n_resamples}; {LEVEL} and {N_RESAMPLES} are usual."
        )


def audited_features(case: Case, features: SensitiveFeatures) -> tuple[str | tuple[str, ...], ...]:
    """Return the sensitive features asked for.

    By default each and, unless it has too many groups, the intersection of all.
    """
    if features is None:
        names = tuple(case.roles.sensitive_features)
        return names if len(names) < 2 or _combinations(case) > MAX_COMBINATIONS else (*names, names)
    if isinstance(features, str | tuple):
        features = [features]
    if not isinstance(features, Iterable):
        raise InputTypeError(
            f"`sensitive_feature` must name sensitive features of the case, several as a list. Got {features!r} instead."
        )
    return tuple(dict.fromkeys(case.sensitive_feature(feature) for feature in features))


def _combinations(case: Case) -> int:
    return math.prod(len(case.grouping(name).names) for name in case.roles.sensitive_features)


def usable(chosen: tuple[Metric, ...], *, probability: bool, asked: bool) -> tuple[tuple[Metric, ...], list[str]]:
    """Leave out what needs probabilities if there are none, with a note.

    Refuse if it was asked for by name.
    """
    refused = [metric.name for metric in chosen if metric.needs_probability]
    if probability or not refused:
        return chosen, []
    if asked:
        raise NotSupportedError(
            f"These metrics need a model with predict_proba: {listed(refused)}. The model has a decision function only; "
            "calibrate it, or leave them out."
        )
    left = tuple(metric for metric in chosen if not metric.needs_probability)
    return left, [f"The model gives no probabilities, so these are left out: {', '.join(refused)}."]


def overall_interval(
    sample: Sample, rate: str, *, n_resamples: int = N_RESAMPLES, level: float = LEVEL, seed: int = 0
) -> tuple[float, float]:
    """Return the interval of a rate over all records, of the kind that a group's rate has."""
    check_resampling(n_resamples, level)
    every = np.zeros(len(sample.label), dtype=np.intp)
    found = rate_evidence(GroupSample(sample, every, 1, n_resamples, generator(seed, "")), rate, level)
    return float(found.low[0]), float(found.high[0])


def audit_arrays(
    sample: Sample,
    groups: Sequence[Groups],
    metrics: Sequence[Metric],
    *,
    n_resamples: int = N_RESAMPLES,
    level: float = LEVEL,
    seed: int = 0,
    on: str = "explore",
    control: Groups | None = None,
    reference: Reference = None,
) -> AuditReport:
    """Audit labels, decisions and scores that are at hand; otherwise as `audit`."""
    check_resampling(n_resamples, level)
    places = {} if reference is None else reference_groups(reference, groups)
    rates = tuple(dict.fromkeys(rate for metric in metrics for rate in metric.rates if rate != "count"))
    compared = [metric for metric in metrics if metric.compares_groups]
    rows: dict[tuple[str, ...], tuple[Any, ...]] = {}
    tables, sentences, against = [], list[str](), []
    for group in groups:
        names, codes = occupied(group)
        name = feature_name(group.feature)
        view = GroupSample(sample, codes, len(names), n_resamples, generator(seed, group.feature))
        evidence = {rate: rate_evidence(view, rate, level) for rate in rates}
        tables.append(group_table(view, evidence, name, names))
        place = None if name not in places else names.index(group.names[places[name]])
        for metric in compared:
            own = reference_row(metric, view, evidence, names, place, level) if places else ()
            rows[metric.name, name] = gap_row(metric, view, evidence, names, level) + own
        if place is not None:
            against.append(against_table(view, evidence, name, names, place, level))
        sentences += notes(view, evidence, name, names)
        if isinstance(group.feature, str):
            sentences += spelling_notes(group.feature, names, view.n)
    columns = (*GAP_COLUMNS, *REFERENCE_COLUMNS) if places else GAP_COLUMNS
    gaps = gap_table(rows, [metric.name for metric in compared], columns=columns)
    whole = GroupSample(sample, np.zeros(len(sample.label), dtype=np.intp), 1, 1, generator(seed, ""))
    report = AuditReport(
        pd.concat(tables) if tables else pd.DataFrame(),
        gaps,
        pd.Series({rate: float(whole.values(rate)[0]) for rate in rates}, name="overall", dtype=np.float64),
        tuple(sentences),
        on,
        len(sample.label),
        level,
        n_resamples,
        pos_is_favorable=sample.pos_is_favorable,
        sample_weight="" if sample.weight is None else GIVEN,
        n_effective=float(whole.n_effective[0]),
        against=joined_against(against) if places else None,
    )
    if control is None:
        return report
    strata = stratified(sample, groups, control, metrics, gaps, n_resamples=n_resamples, level=level, seed=seed)
    return replace(report, strata=strata)
