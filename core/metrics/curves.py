"""Curves behind single numbers.

ROC and calibration of every group, and what each decision threshold would cost.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from core.case.case import Case
from core.errors import InputError, NotSupportedError
from core.metrics.audit import sample_of
from core.metrics.catalog import metric_of
from core.metrics.gaps import evaluate
from core.metrics.intervals import wilson
from core.metrics.samples import occupied
from core.metrics.scores import members, score_bins
from core.numerics.statistics.counts import BoolArray, FloatArray, cell_counts

MOST_POINTS = 200
_Feature = str | Sequence[str] | None


def roc_curves(case: Case, sensitive_feature: _Feature = None, on: str = "explore") -> pd.DataFrame:
    """Return the ROC curve of every group, with the favourable label as positive class.

    O(n log n).

    Parameters
    ----------
    case : Case
    sensitive_feature : str, sequence of str, optional
        None is the first; several are their intersection.
    on : {"explore", "confirm", "test"}
        Which rows.

    Returns
    -------
    DataFrame
        ``group``, ``false_positive_rate``, ``true_positive_rate``, ``threshold`` (score of the favourable label from which on the
        decision is favourable); at most about 200 points per group, ends included. Groups with one label only are left out.
    """
    sample = sample_of(case, on)
    names, codes = occupied(case.groups(sensitive_feature, on))
    score = np.empty(0) if sample.score is None else sample.score
    parts = []
    for name, rows in zip(names, members(codes, len(names)), strict=True):
        label = sample.label[rows]
        if label.all() or not label.any():
            continue
        parts.append(_roc(label, score[rows]).assign(group=name))
    columns = ["group", "false_positive_rate", "true_positive_rate", "threshold"]
    return pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)


def _roc(label: BoolArray, score: FloatArray) -> pd.DataFrame:
    order = np.argsort(-score, kind="stable")
    ranked, hits = score[order], np.cumsum(label[order])
    last = np.append(np.flatnonzero(np.diff(ranked)), len(ranked) - 1)
    if len(last) > MOST_POINTS:
        last = last[np.unique(np.linspace(0, len(last) - 1, MOST_POINTS).round().astype(np.intp))]
    true, false = hits[last], last + 1 - hits[last]
    return pd.DataFrame(
        {
            "false_positive_rate": np.append(0.0, false / np.count_nonzero(~label)),
            "true_positive_rate": np.append(0.0, true / np.count_nonzero(label)),
            "threshold": np.append(np.inf, ranked[last]),
        }
    )


def calibration_curves(
    case: Case, sensitive_feature: _Feature = None, on: str = "explore", *, level: float = 0.95
) -> pd.DataFrame:
    """Return observed against predicted shares of the favourable label.

    By group and tenth of the score; O(n log n).

    Parameters
    ----------
    case : Case
    sensitive_feature : str, sequence of str, optional
        None is the first; several are their intersection.
    on : {"explore", "confirm", "test"}
        Which rows.
    level : float
        Coverage of the Wilson intervals.

    Returns
    -------
    DataFrame
        ``group``, ``predicted`` (mean score), ``observed``, ``low``, ``high``, ``n``; empty bins are left out.

    Raises
    ------
    NotSupportedError
        If the model gives no probabilities.
    """
    sample = sample_of(case, on)
    if not sample.probability or sample.score is None:
        raise NotSupportedError(
            "Calibration needs a model with predict_proba. The model has a decision function only; calibrate it first."
        )
    names, codes = occupied(case.groups(sensitive_feature, on))
    parts = []
    for name, rows in zip(names, members(codes, len(names)), strict=True):
        score, label = sample.score[rows], sample.label[rows]
        bins = score_bins(score)
        n = np.bincount(bins).astype(np.float64)
        used = n > 0
        observed = np.bincount(bins, weights=label)[used] / n[used]
        low, high = wilson(observed, n[used], level)
        predicted = np.bincount(bins, weights=score)[used] / n[used]
        values = {"predicted": predicted, "observed": observed, "low": low, "high": high, "n": n[used].astype(np.int64)}
        parts.append(pd.DataFrame({"group": name, **values}))
    return pd.concat(parts, ignore_index=True)


def threshold_sweep(
    case: Case,
    metric: str,
    sensitive_feature: _Feature = None,
    on: str = "explore",
    *,
    cost_false_positive: float = 1.0,
    cost_false_negative: float = 1.0,
    n_thresholds: int = 100,
) -> pd.DataFrame:
    """Return what every decision threshold would give.

    The gap, accuracy, errors and their cost.

    Parameters
    ----------
    case : Case
    metric : str
        A metric of the catalog that uses decisions.
    sensitive_feature : str, sequence of str, optional
        None is the first; several are their intersection.
    on : {"explore", "confirm", "test"}
        Which rows.
    cost_false_positive, cost_false_negative : float
        Cost of one person labelled bad given the good outcome, and of one person labelled good refused.
    n_thresholds : int
        About how many; half are spread evenly over the ranks of the scores, half over those of the distinct scores, so that the few
        high scores of a rare outcome are not passed over.

    Returns
    -------
    DataFrame
        Indexed by ``threshold``, ascending: ``flagged`` (share predicted as pos_label), ``gap`` (NaN for a metric on scores), ``accuracy``,
        ``false_positives``, ``false_negatives`` and ``cost``.

    Raises
    ------
    InputError
        If a cost is negative or not finite.

    Notes
    -----
    As everywhere, positive means favourable: a false positive is a person labelled bad given the good outcome.
    """
    for cost in (cost_false_positive, cost_false_negative):
        if not np.isfinite(cost) or cost < 0:
            raise InputError(f"The cost of an error must be a finite number of at least 0. Got {cost!r} instead.")
    kind = metric_of(metric)
    scores, label = case.scores(on), case.favorable(case.y(on))
    names, codes = occupied(case.groups(sensitive_feature, on))
    shares = np.linspace(0.0, 1.0, max(n_thresholds // 2, 2))
    thresholds = np.union1d(*(np.quantile(values, shares, method="higher") for values in (scores, np.unique(scores))))
    rows = []
    for threshold in thresholds:
        positive = scores >= threshold
        counts = cell_counts(codes, label, case.favorable(positive), len(names))
        gap = evaluate(metric, counts, pos_is_favorable=case.favorable_is_positive) if kind.uses == "cells" else np.nan
        false_positives, false_negatives = counts[:, 0, 1].sum(), counts[:, 1, 0].sum()
        rows.append(
            {
                "threshold": threshold,
                "flagged": positive.mean(),
                "gap": float(gap),
                "accuracy": 1.0 - (false_positives + false_negatives) / len(label),
                "false_positives": int(false_positives),
                "false_negatives": int(false_negatives),
                "cost": cost_false_positive * false_positives + cost_false_negative * false_negatives,
            }
        )
    return pd.DataFrame(rows).set_index("threshold")


def errors_by_group(
    case: Case,
    sensitive_feature: _Feature = None,
    on: str = "explore",
    *,
    cost_false_positive: float = 1.0,
    cost_false_negative: float = 1.0,
) -> pd.DataFrame:
    """Return the errors of every group at the case's own threshold, and what they cost.

    Parameters
    ----------
    case : Case
    sensitive_feature : str, sequence of str, optional
        None is the first; several are their intersection.
    on : {"explore", "confirm", "test"}
        Which rows.
    cost_false_positive, cost_false_negative : float
        Cost of one person labelled bad given the good outcome, and of one person labelled good refused.

    Returns
    -------
    DataFrame
        Indexed by ``group``: ``n``, ``false_positives``, ``false_negatives``, ``cost`` and ``cost_per_person``.
    """
    names, codes = occupied(case.groups(sensitive_feature, on))
    counts = cell_counts(codes, case.favorable(case.y(on)), case.favorable(case.decisions(on)), len(names))
    false_positives, false_negatives = counts[:, 0, 1], counts[:, 1, 0]
    n, cost = counts.sum(axis=(1, 2)), cost_false_positive * false_positives + cost_false_negative * false_negatives
    return pd.DataFrame(
        {
            "n": n.astype(np.int64),
            "false_positives": false_positives if case.randomised else false_positives.astype(np.int64),
            "false_negatives": false_negatives if case.randomised else false_negatives.astype(np.int64),
            "cost": cost,
            "cost_per_person": cost / np.maximum(n, 1.0),
        },
        index=pd.Index(names, name="group"),
    )
