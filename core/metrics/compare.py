"""Two models on the same records: every metric before, after, and the paired change."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from core.case.case import Case, check_case
from core.case.groups import Groups
from core.errors import InputError
from core.former import formerly
from core.metrics.audit import (
    LEVEL,
    N_RESAMPLES,
    SensitiveFeatures,
    audited_features,
    check_resampling,
    sample_of,
    usable,
)
from core.metrics.catalog import METRICS, Metric, metric_of, metrics_of
from core.metrics.change import Change, paired_change
from core.metrics.samples import PairedSample, Sample, feature_name, generator, occupied
from core.metrics.scores import members
from core.numerics.statistics.counts import FloatArray

ALL_RECORDS = "(all)"
RATES = ("selection_rate", "true_positive_rate", "accuracy")
"""Rates that are compared group by group where none are named."""


@formerly(
    "on",
    "metric",
    renamed={"features": "sensitive_feature", "before": "case"},
    synonyms={"metrics": "metric"},
    several=True,
)
def compare(
    case: Case,
    after: Case,
    *,
    metric: str | Iterable[str] | None = None,
    sensitive_feature: SensitiveFeatures = None,
    on: str = "explore",
    scores: FloatArray | None = None,
    n_resamples: int = N_RESAMPLES,
    level: float = LEVEL,
    seed: int = 0,
) -> pd.DataFrame:
    """Compare two models on the same rows.

    Parameters
    ----------
    case, after : Case
        Cases that share their test table: before and after.
    metric : str or list of str, optional
        Names from `core.metrics.METRICS`; None is `DEFAULT_METRICS`.
    sensitive_feature : str, tuple of str, or list of these, optional
        Whose groups; a tuple is an intersection. None is each of the case's, and of several the intersection of all.
    on : {"explore", "confirm", "test"}
        Which rows.
    scores : float array, optional
        Scores of pos_label to take the place of `after`'s own: a preview of a model that is not there yet.
    n_resamples, level, seed
        As for `audit`.

    Returns
    -------
    DataFrame
        Indexed by (metric, sensitive_feature), "(all)" for rates over all records: ``before``, ``after``, ``change``, the
        paired interval ``low``, ``high`` of the change, which excludes 0 where a change is real, ``p_value``; of gaps and ratios,
        the group better off ``ahead_before`` and ``ahead_after``; of two groups ``signed_change``, ``signed_low``, ``signed_high``
        and whether they are ``reversed``; ``direction``: "better", "worse" or empty. ``attrs`` hold ``on`` and ``n``, the rows, and
        ``looks``, how often the confirm rows were looked at by now.

    Raises
    ------
    InputError
        If the cases have other test rows or labels, or a metric, feature or split does not exist.

    Notes
    -----
    ``change`` is ``after - before``: a gap's is negative where the gap narrowed, also where two groups changed places (``reversed``).
    ``signed_change`` is then that of the signed difference, -(after + before). The p-value swaps before and after at random within
    records: did anything move the metric? The interval is that of the change in the population, where it also counts that nobody
    knows for sure which group was ahead; see docs/METHODS.md.

    Examples
    --------
    >>> import core, numpy as np, pandas as pd
    >>> from sklearn.linear_model import LogisticRegression
    >>> rng = np.random.default_rng(0)
    >>> table = pd.DataFrame({"income": rng.normal(size=400), "sex": ["f", "m"] * 200})
    >>> table["granted"] = (table.income + 0.8 * (table.sex == "m") > 0).astype(int)
    >>> case = core.Case(LogisticRegression().fit(table[["income"]], table.granted), table, table,
    ...                  core.Roles("granted", 1, 1, ["sex"]), confirm=False)
    >>> compare(case, case, metric="equal_opportunity_difference")["change"].tolist()
    [0.0]
    """
    check_case(case)
    check_case(after)
    _check_same_rows(case, after, on)
    after.looked_at(on, "compare")
    first, second = sample_of(case, on), sample_of(after, on, scores)
    probability = first.probability and second.probability
    chosen, _ = usable(metrics_of(metric), probability=probability, asked=metric is not None)
    groups = [case.groups(feature, on) for feature in audited_features(case, sensitive_feature)]
    found = compare_samples(first, second, groups, chosen, n_resamples=n_resamples, level=level, seed=seed)
    found.attrs.update(on=on, n=len(case.rows(on)), looks=len(case.looks))
    return found


def turned(table: pd.DataFrame, digits: int = 3) -> pd.Series[bool]:
    """Return where groups change places in what `compare` returned, and are left with a gap that shows in so many digits."""
    level = [
        METRICS[name].is_level(value, digits)
        for name, value in zip(table.index.get_level_values(0), table["after"], strict=True)
    ]
    return table["reversed"] & ~pd.Series(level, table.index, dtype=bool)


def compare_decisions(
    label: np.ndarray[Any, np.dtype[np.bool_]],
    before: np.ndarray[Any, np.dtype[np.bool_]],
    after: np.ndarray[Any, np.dtype[np.bool_]],
    groups: Sequence[Groups],
    metrics: str | Iterable[str],
    *,
    pos_is_favorable: bool = True,
    n_resamples: int = N_RESAMPLES,
    level: float = LEVEL,
    seed: int = 0,
) -> pd.DataFrame:
    """Compare decisions that are at hand, on metrics that need no scores.

    Parameters
    ----------
    label, before, after : bool array, shape (n,)
        Label, and decisions before and after; True is favourable.
    groups : sequence of Groups
        Sensitive features of the same records.
    metrics : str or iterable of str
        Names from `core.metrics.METRICS`.
    pos_is_favorable : bool
        Whether pos_label is favorable_label.
    n_resamples, level, seed
        As for `audit`.

    Returns
    -------
    DataFrame
        As from `compare`.

    Examples
    --------
    >>> import numpy as np
    >>> sex = Groups("sex", ("f", "m"), np.tile(np.array([0, 1], dtype=np.int32), 200))
    >>> label = np.repeat([True, False], 200)
    >>> before = label & ~((sex.codes == 0) & (np.arange(400) % 3 == 0))
    >>> shift = compare_decisions(label, before, label, [sex], "equal_opportunity_difference")
    >>> shift.round(2).loc[("equal_opportunity_difference", "sex"), ["before", "after", "change"]].tolist()
    [0.34, 0.0, -0.34]
    >>> bool(shift["high"].iloc[0] < 0)
    True
    """
    chosen = metrics_of(metrics)
    scored = [metric.name for metric in chosen if metric.uses == "scores"]
    if scored:
        raise InputError(f"Metrics on decisions must not need scores. Got {scored[0]!r}; compare two cases instead.")
    first, second = (Sample(label, decision, pos_is_favorable=pos_is_favorable) for decision in (before, after))
    return compare_samples(first, second, groups, chosen, n_resamples=n_resamples, level=level, seed=seed)


def compare_samples(
    before: Sample,
    after: Sample,
    groups: Sequence[Groups],
    metrics: Sequence[Metric],
    *,
    n_resamples: int = N_RESAMPLES,
    level: float = LEVEL,
    seed: int = 0,
) -> pd.DataFrame:
    """Compare two samples of the same records; otherwise as `compare`."""
    check_resampling(n_resamples, level)
    whole = PairedSample(before, after, np.zeros(len(before.label), dtype=np.intp), 1, n_resamples, generator(seed, ""))
    rows = {
        (metric.name, ALL_RECORDS): _row(metric, paired_change(metric, whole, level))
        for metric in metrics
        if not metric.compares_groups and metric.name != "count"
    }
    views = {}
    for group in groups:
        names, codes = occupied(group)
        view = PairedSample(before, after, codes, len(names), n_resamples, generator(seed, group.feature))
        views[feature_name(group.feature)] = view, names
    for metric in metrics:
        if metric.compares_groups:
            rows |= {
                (metric.name, name): _row(metric, paired_change(metric, view, level), names)
                for name, (view, names) in views.items()
            }
    index = pd.MultiIndex.from_tuples(list(rows), names=["metric", "sensitive_feature"]) if rows else None
    return pd.DataFrame(list(rows.values()), index=index, columns=[*Change._fields, "direction"])


def _row(metric: Metric, change: Change, names: Sequence[str] = ()) -> tuple[Any, ...]:
    """Return a change as a row of the table, with groups by their names."""
    ahead = [None if one is None else names[one] for one in (change.ahead_before, change.ahead_after)]
    named = change._asdict() | {"ahead_before": ahead[0], "ahead_after": ahead[1]}
    return (*named.values(), direction(metric, change.change))


def direction(metric: Metric, change: float) -> str:
    """Return whether a change of a metric is "better" or "worse"; an empty string where it is neither.

    Examples
    --------
    >>> direction(METRICS["demographic_parity_ratio"], -0.1), direction(METRICS["accuracy"], 0.0)
    ('worse', '')
    """
    if not abs(change) > 0.0 or metric.better == "neither":
        return ""
    return "better" if (change < 0) == (metric.better == "lower") else "worse"


def compare_groups(
    case: Case,
    after: Case,
    *,
    metric: str | Iterable[str] = RATES,
    sensitive_feature: SensitiveFeatures = None,
    on: str = "explore",
    scores: FloatArray | None = None,
    n_resamples: int = N_RESAMPLES,
    level: float = LEVEL,
    seed: int = 0,
) -> pd.DataFrame:
    """Compare every group's own rates: who got better, and who got worse.

    Parameters
    ----------
    case, after, sensitive_feature, on, scores, n_resamples, level, seed
        As for `compare`.
    metric : str or list of str
        Names; of a gap, its rates are taken.

    Returns
    -------
    DataFrame
        Indexed by (metric, sensitive_feature, group): ``before``, ``after``, ``change``, ``low``, ``high`` and ``p_value`` as from
        `compare`. The interval of each group stands alone.
    """
    check_resampling(n_resamples, level)
    _check_same_rows(case, after, on)
    samples = sample_of(case, on), sample_of(after, on, scores)
    chosen, _ = usable(metrics_of(metric), probability=all(s.probability for s in samples), asked=True)
    rates = dict.fromkeys(rate for metric in chosen for rate in metric.rates if rate != "count")
    rows = {}
    for feature in audited_features(case, sensitive_feature):
        groups = case.groups(feature, on)
        names, codes = occupied(groups)
        for name, rows_of_group in zip(names, members(codes, len(names)), strict=True):
            own = [sample.take(rows_of_group) for sample in samples]
            view = PairedSample(
                own[0], own[1], np.zeros(len(rows_of_group), dtype=np.intp), 1, n_resamples, generator(seed, name)
            )
            for rate in rates:
                rows[rate, feature_name(feature), name] = paired_change(metric_of(rate), view, level)
    index = pd.MultiIndex.from_tuples(list(rows), names=["metric", "sensitive_feature", "group"])
    return pd.DataFrame([row[:6] for row in rows.values()], index=index, columns=list(Change._fields[:6]))


def _check_same_rows(before: Case, after: Case, on: str) -> None:
    same = before.shares_tables(after) or (
        np.array_equal(before.rows(on), after.rows(on))
        and np.array_equal(before.y(on), after.y(on))
        and before.test.index.equals(after.test.index)
    )
    if not same or before.roles != after.roles:
        raise InputError(
            "Compared cases must share their test table and roles. Got two different ones; "
            "make the second from the first, with unlearn or replace."
        )
