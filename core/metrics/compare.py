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
from core.metrics.catalog import METRICS, Metric, metrics_of
from core.metrics.compared import ALL_RECORDS as ALL_RECORDS
from core.metrics.compared import Compared
from core.metrics.samples import Sample
from core.numerics.statistics.counts import FloatArray

COMPARED_RATES = ("selection_rate", "true_positive_rate", "accuracy")
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
    where: str | None = None,
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
    where : str, optional
        A condition on these rows, as "month >= '2025-07' and region = 'north'"; only those it holds for are looked at. As for `Case.only`.
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
        and whether they are ``reversed``; ``direction``: "better", "worse" or empty. ``attrs`` hold ``on``, ``where`` and ``n``, the rows, and
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
    case, after = case.only(where), after.only(where)
    features = audited_features(case, sensitive_feature)
    compared = compared_cases(case, after, features, on, scores, n_resamples=n_resamples, level=level, seed=seed)
    chosen, _ = usable(metrics_of(metric), probability=compared.probability, asked=metric is not None)
    after.looked_at(on, "compare")
    found = compared.table(chosen)
    found.attrs.update(on=on, n=len(case.rows(on)), where=case.where, looks=len(case.looks))
    return found


def turned(table: pd.DataFrame, digits: int = 3) -> pd.Series[bool]:
    """Return where groups change places in what `compare` returned.

    Only where they are left with a gap that shows in so many digits.
    """
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
    return Compared(before, after, groups, n_resamples=n_resamples, level=level, seed=seed).table(metrics)


def compare_groups(
    case: Case,
    after: Case,
    *,
    metric: str | Iterable[str] = COMPARED_RATES,
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
    check_case(case)
    check_case(after)
    features = audited_features(case, sensitive_feature)
    compared = compared_cases(case, after, features, on, scores, n_resamples=n_resamples, level=level, seed=seed)
    chosen, _ = usable(metrics_of(metric), probability=compared.probability, asked=True)
    return compared.levels(dict.fromkeys(rate for one in chosen for rate in one.rates if rate != "count"))


def compared_cases(
    case: Case,
    after: Case,
    features: Iterable[str | tuple[str, ...]],
    on: str,
    scores: FloatArray | None = None,
    *,
    n_resamples: int = N_RESAMPLES,
    level: float = LEVEL,
    seed: int = 0,
) -> Compared:
    """Return what every comparison of two cases reads from.

    These are `compare`, `compare_groups` and `guardrails`.

    Parameters
    ----------
    case, after, on, scores, n_resamples, level, seed
        As for `compare`.
    features : iterable of str or tuple of str
        Sensitive features of the case.
    """
    check_resampling(n_resamples, level)
    _check_same_rows(case, after, on)
    samples = sample_of(case, on), sample_of(after, on, scores)
    groups = [case.groups(feature, on) for feature in features]
    return Compared(samples[0], samples[1], groups, n_resamples=n_resamples, level=level, seed=seed)


def _check_same_rows(before: Case, after: Case, on: str) -> None:
    same = np.array_equal(before.rows(on), after.rows(on)) and (
        before.shares_tables(after)
        or (np.array_equal(before.y(on), after.y(on)) and before.test.index.equals(after.test.index))
    )
    if not same or before.roles != after.roles:
        raise InputError(
            "Compared cases must share their test table, the rows looked at and roles. Got two different ones; "
            "make the second from the first, with unlearn or replace."
        )
