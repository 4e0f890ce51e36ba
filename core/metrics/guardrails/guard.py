"""The call: before and after, or a model that is only predicted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from core.case.arguments import check_number
from core.case.case import Case, check_case
from core.errors import InputError
from core.metrics.audit import LEVEL, N_RESAMPLES, audited_features, usable
from core.metrics.catalog import Metric, metric_of
from core.metrics.compare import compared_cases
from core.metrics.compared import Compared
from core.metrics.guardrails.levels import measured, row_of
from core.metrics.guardrails.people import moved, people_counted, people_decided_otherwise, shares_removed
from core.metrics.guardrails.result import Guardrails
from core.metrics.guardrails.sentence import rows_called, sentences
from core.metrics.guardrails.verdict import SIZES, findings_of, verdict_of
from core.metrics.samples import feature_name
from core.typing import Bools, Feature, Floats
from core.words import where_said

METRIC = "equal_opportunity_difference"
MAX_UTILITY_DROP = 0.01


def guardrails(
    before: Case,
    after: Case,
    *,
    metric: str | None = None,
    sensitive_feature: str | Sequence[str] | None = None,
    on: str = "explore",
    where: str | None = None,
    max_utility_drop: float = MAX_UTILITY_DROP,
    scores: Floats | None = None,
    forget: Iterable[Any] | None = None,
    n_resamples: int = N_RESAMPLES,
    level: float = LEVEL,
    seed: int = 0,
) -> Guardrails:
    """Judge whether a change is fairer, and who pays for it.

    Every group's level on every sensitive feature and their intersection, every gap, accuracy and calibration before and after on the
    same rows; the people newly refused and newly served; the share of each group's records removed. O(n) and resampled cell counts.

    Parameters
    ----------
    before, after : Case
        Cases that share their test table.
    metric : str, optional
        The gap or ratio that is to close; None is "equal_opportunity_difference".
    sensitive_feature : str or tuple of str, optional
        Between whose groups; None is the first, a tuple an intersection.
    on : {"explore", "confirm", "test"}
        Which rows.
    where : str, optional
        A condition on these rows, as "month >= '2025-07' and region = 'north'"; only those it holds for are looked at. As for `Case.only`.
    max_utility_drop : float
        By how much accuracy may fall before a gain is mixed.
    scores : float array, optional
        Scores of pos_label to take the place of `after`'s own, as `core.predicted_scores` gives them: a preview.
    forget : iterable, optional
        With `scores`: ids of the training records that would go, for the shares removed.
    n_resamples, level, seed
        As for `audit`.

    Returns
    -------
    Guardrails

    Raises
    ------
    InputError
        If the cases have other test rows, or the metric is no gap or ratio, or is undefined on these rows.

    Notes
    -----
    The size of the chosen gap is tested on its own at 5%, everything else under one Benjamini-Hochberg correction. That a privileged
    group's level falls never vetoes a cure.

    Examples
    --------
    >>> import core
    >>> case = core.load_case("trap")
    >>> everyone_with_property = case.train.loc[case.train["security"] == "property", "application"]
    >>> side = guardrails(case, core.unlearn(case, everyone_with_property).case)
    >>> side.verdict
    'fairer_by_levelling_down'
    """
    check_case(before)
    check_case(after)
    check_number("max_utility_drop", max_utility_drop)
    if max_utility_drop < 0:
        raise InputError(f"`max_utility_drop` must not be negative. Got {max_utility_drop!r}; 0 allows no loss.")
    before, after = before.only(where), after.only(where)
    chosen = gap_of(METRIC if metric is None else metric)
    feature = before.sensitive_feature(sensitive_feature)
    features = guarded_features(before, feature)
    gone = records_gone(before, after, forget)
    compared = compared_cases(before, after, features, on, scores, n_resamples=n_resamples, level=level, seed=seed)
    usable((chosen,), probability=compared.probability, asked=True)
    after.looked_at(on, "guardrails")
    return guard(before, compared, chosen, feature, on=on, gone=gone, max_utility_drop=max_utility_drop)


def guarded_features(case: Case, feature: Feature) -> tuple[Feature, ...]:
    """Return the sensitive features looked at.

    The chosen one, each of the case's, and of several their intersection.
    """
    return tuple(dict.fromkeys((feature, *audited_features(case, None))))


def guard(
    case: Case, compared: Compared, metric: Metric, feature: Feature, *, on: str, gone: Bools, max_utility_drop: float
) -> Guardrails:
    """Judge two samples that are at hand; otherwise as `guardrails`.

    Parameters
    ----------
    case : Case
        Before.
    compared : Compared
        The samples, by `guarded_features`.
    metric : Metric
        The gap.
    feature : str or tuple of str
        Between whose groups.
    on : str
        The split the samples are of.
    gone : ndarray of bool, shape (n_train,)
        Training records that go.
    max_utility_drop : float
        As for `guardrails`.
    """
    name, features = feature_name(feature), tuple(compared.features.values())
    levels = measured(compared, metric, name)
    if np.isnan(row_of(levels.metrics, (metric.name, name))["change"]):
        raise InputError(
            f"The gap must be defined on the {on} rows{where_said(case.where)}, before and after. "
            f"{metric.name!r} of {name!r} is not; choose another metric or feature."
        )
    findings = findings_of(compared, levels, metric, name, max_utility_drop)
    verdict = verdict_of(findings)
    label, change = compared.before.label, moved(compared.before, compared.after)
    counts = people_counted(case, label, change, features, on)
    asked = metric, name, max_utility_drop
    return Guardrails(
        verdict=verdict,
        said=sentences(
            verdict, findings, levels, counts.loc[[name]].droplevel(0), asked, case.roles, rows_called(on, case.where)
        ),
        metric=metric.name,
        sensitive_feature=name,
        on=on,
        n=len(label),
        where=case.where,
        groups=levels.groups,
        metrics=levels.metrics,
        people=people_decided_otherwise(case, label, change, on),
        counts=counts,
        removed=shares_removed(case, gone, features),
        n_tested=levels.n_tested,
        notes=levels.notes,
    )


def gap_of(name: str) -> Metric:
    """Return a gap or ratio by its name, or raise."""
    metric = metric_of(name)
    if metric.kind not in SIZES:
        raise InputError(
            f"The metric of guardrails must be a gap or a ratio between groups. Got {name!r}; take one such as {METRIC!r}."
        )
    return metric


def records_gone(before: Case, after: Case, forget: Iterable[Any] | None) -> Bools:
    """Return which training records go.

    Those that `after` does not know, or those that are predicted away.
    """
    if forget is None:
        return before.retained & ~after.retained
    gone = np.zeros(len(before.retained), dtype=bool)
    gone[before.positions(forget)] = True
    return gone
