"""The catalog: every metric Redress knows, one row each.

Names are fairlearn's where fairlearn has one. Group rates take favorable_label as their positive class; detection metrics take
pos_label. A difference is the largest less the smallest group rate, a ratio the smallest over the largest. Tables and pages list
metrics in the order of their rows.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Literal

from core.errors import InputError, InputTypeError, nearest
from core.metrics.metric import Kind
from core.metrics.metric import Metric as Metric

Better = Literal["lower", "higher", "neither"]
End = Literal["low", "high"]


def _rate(name: str, better: Better, label: str, formula: str, worst_off: End = "low", **traits: Any) -> Metric:
    return Metric(name, "rate", "cells", (name,), better, worst_off, label, formula, **traits)


def _score(name: str, better: Better, label: str, formula: str, worst_off: End = "low", **traits: Any) -> Metric:
    return Metric(name, "rate", "scores", (name,), better, worst_off, label, formula, **traits)


def _detection(name: str, better: Better, label: str, formula: str, **traits: Any) -> Metric:
    return Metric(name, "detection", traits.pop("uses", "cells"), (name,), better, "low", label, formula, **traits)


_RATES = (
    _rate("count", "neither", "Records", "n"),
    _rate("base_rate", "neither", "Share labelled good", "P(Y | g)"),
    _rate(
        "selection_rate",
        "higher",
        "Share given the good outcome",
        "P(D | g)",
        usual=True,
        share="of all, the share decided {good}",
        detected="share not flagged",
    ),
    _rate(
        "true_positive_rate",
        "higher",
        "People labelled good given the good outcome",
        "P(D | Y, g)",
        usual=True,
        share="of those with {good}, the share decided {good}",
        detected="share rightly not flagged",
    ),
    _rate(
        "false_positive_rate",
        "lower",
        "People labelled bad given the good outcome",
        "P(D | not Y, g)",
        usual=True,
        of_bad_labels=True,
        share="of those with {bad}, the share decided {good}",
        detected="share missed",
    ),
    _rate(
        "true_negative_rate",
        "higher",
        "People labelled bad refused",
        "P(not D | not Y, g)",
        "high",
        of_bad_labels=True,
        share="of those with {bad}, the share decided {bad}",
        detected="share found",
    ),
    _rate(
        "false_negative_rate",
        "lower",
        "People labelled good refused",
        "P(not D | Y, g)",
        "high",
        share="of those with {good}, the share decided {bad}",
        detected="share flagged wrongly",
    ),
    _rate(
        "precision",
        "higher",
        "Labelled good among those given the good outcome",
        "P(Y | D, g)",
        usual=True,
        share="of those decided {good}, the share with {good}",
    ),
    _rate(
        "accuracy",
        "higher",
        "Accuracy",
        "P(D = Y | g)",
        usual=True,
        is_utility=True,
        share="the share decided rightly",
    ),
    _rate("zero_one_loss", "lower", "Share of wrong decisions", "P(D != Y | g)", "high"),
    _rate(
        "balanced_accuracy",
        "higher",
        "Balanced accuracy",
        "(P(D | Y, g) + P(not D | not Y, g)) / 2",
        usual=True,
        is_utility=True,
        share="the mean of the shares of those with {good} and of those with {bad} that are decided rightly",
    ),
    _rate("f1_score", "higher", "F1 score of the good outcome", "2 TP / (2 TP + FP + FN) of the favourable label"),
    _score(
        "roc_auc",
        "higher",
        "ROC AUC",
        "P(s_i > s_j) + P(s_i = s_j) / 2 for i with Y, j without, both in g",
        usual=True,
        is_area=True,
    ),
    _score(
        "brier_score",
        "lower",
        "Brier score",
        "mean of (s - Y)^2 in g",
        "high",
        usual=True,
        needs_probability=True,
    ),
    _score(
        "log_loss",
        "lower",
        "Log loss",
        "mean of -log(probability given to the label) in g",
        "high",
        needs_probability=True,
        most=math.inf,
        has_scale=False,
    ),
    _score(
        "calibration_error",
        "lower",
        "Expected calibration error",
        "sum over 10 score bins b of |sum of (s - Y) in b and g| / n_g",
        "high",
        needs_probability=True,
        has_scale=False,
    ),
    _detection("flagged_rate", "neither", "Share flagged", "P(decision is pos_label | g)"),
    _detection("recall", "higher", "Share of pos_label found", "P(decision is pos_label | label is pos_label, g)"),
    _detection("detection_precision", "higher", "Right flags", "P(label is pos_label | decision is pos_label, g)"),
    _detection("detection_f1_score", "higher", "F1 score of pos_label", "2 TP / (2 TP + FP + FN) of pos_label"),
    _detection(
        "average_precision",
        "higher",
        "Average precision",
        "mean over records of pos_label of the precision at their score",
        uses="scores",
        is_utility=True,
        is_area=True,
    ),
)
_BY_NAME = {rate.name: rate for rate in _RATES}


def _compared(
    name: str, kind: Kind, rates: str, better: Better, label: str, formula: str, worst_off: End, traits: dict[str, Any]
) -> Metric:
    """Return a metric that compares groups.

    What its first rate needs and how that scatters holds for it, too.
    """
    parts = tuple(rates.split())
    rate = _BY_NAME[parts[0]]
    handed_down = {
        trait: getattr(rate, trait) for trait in ("needs_probability", "is_area", "most", "of_bad_labels", "detected")
    }
    return Metric(name, kind, rate.uses, parts, better, worst_off, label, formula, **handed_down, **traits)


def _difference(name: str, rates: str, label: str, worst_off: End = "low", **traits: Any) -> Metric:
    gaps = [f"max_g {rate} - min_g {rate}" for rate in rates.split()]
    formula = gaps[0] if len(gaps) == 1 else f"max({', '.join(gaps)})"
    return _compared(name, "difference", rates, "lower", label, formula, worst_off, traits)


def _ratio(name: str, rates: str, label: str, worst_off: End = "low", **traits: Any) -> Metric:
    ratios = [f"min_g {rate} / max_g {rate}" for rate in rates.split()]
    formula = ratios[0] if len(ratios) == 1 else f"min({', '.join(ratios)})"
    return _compared(name, "ratio", rates, "higher", label, formula, worst_off, traits)


def _lowest(name: str, rate: str, label: str, **traits: Any) -> Metric:
    return _compared(name, "group_min", rate, "higher", label, f"min_g {rate}", "low", traits)


def _highest(name: str, rate: str, label: str, **traits: Any) -> Metric:
    return _compared(name, "group_max", rate, "lower", label, f"max_g {rate}", "high", traits)


_COMPARED = (
    _difference("demographic_parity_difference", "selection_rate", "Gap in good outcomes", usual=True),
    _ratio("demographic_parity_ratio", "selection_rate", "Ratio of good outcomes", usual=True),
    _difference("selection_rate_difference", "selection_rate", "Gap in good outcomes"),
    _difference(
        "equal_opportunity_difference", "true_positive_rate", "Gap in people labelled good who are served", usual=True
    ),
    _difference("true_positive_rate_difference", "true_positive_rate", "Gap in people labelled good who are served"),
    _difference(
        "false_positive_rate_difference", "false_positive_rate", "Gap in people labelled bad who are served", usual=True
    ),
    _difference(
        "true_negative_rate_difference", "true_negative_rate", "Gap in people labelled bad who are refused", "high"
    ),
    _difference(
        "false_negative_rate_difference", "false_negative_rate", "Gap in people labelled good who are refused", "high"
    ),
    _difference(
        "equalized_odds_difference", "true_positive_rate false_positive_rate", "Gap in equalized odds", usual=True
    ),
    _difference("precision_difference", "precision", "Gap in precision", usual=True),
    _difference("accuracy_score_difference", "accuracy", "Gap in accuracy", usual=True),
    _difference("zero_one_loss_difference", "zero_one_loss", "Gap in wrong decisions", "high"),
    _difference("balanced_accuracy_difference", "balanced_accuracy", "Gap in balanced accuracy", listed=True),
    _difference("f1_score_difference", "f1_score", "Gap in F1 score"),
    _difference("base_rate_difference", "base_rate", "Gap in the labels themselves"),
    _difference("roc_auc_difference", "roc_auc", "Gap in ROC AUC", usual=True),
    _difference("brier_score_difference", "brier_score", "Gap in Brier score", "high", listed=True),
    _difference("log_loss_difference", "log_loss", "Gap in log loss", "high"),
    _difference("calibration_error_difference", "calibration_error", "Gap in calibration error", "high"),
    _ratio("selection_rate_ratio", "selection_rate", "Ratio of good outcomes"),
    _ratio(
        "equal_opportunity_ratio", "true_positive_rate", "Ratio of people labelled good who are served", listed=True
    ),
    _ratio("true_positive_rate_ratio", "true_positive_rate", "Ratio of people labelled good who are served"),
    _ratio(
        "false_positive_rate_ratio", "false_positive_rate", "Ratio of people labelled bad who are served", listed=True
    ),
    _ratio("true_negative_rate_ratio", "true_negative_rate", "Ratio of people labelled bad who are refused", "high"),
    _ratio("false_negative_rate_ratio", "false_negative_rate", "Ratio of people labelled good who are refused", "high"),
    _ratio("equalized_odds_ratio", "true_positive_rate false_positive_rate", "Ratio of equalized odds"),
    _ratio("precision_ratio", "precision", "Ratio of precision", listed=True),
    _ratio("accuracy_score_ratio", "accuracy", "Ratio of accuracy"),
    _ratio("zero_one_loss_ratio", "zero_one_loss", "Ratio of wrong decisions", "high"),
    _ratio("balanced_accuracy_ratio", "balanced_accuracy", "Ratio of balanced accuracy"),
    _ratio("f1_score_ratio", "f1_score", "Ratio of F1 score"),
    _ratio("base_rate_ratio", "base_rate", "Ratio of the labels themselves"),
    _ratio("roc_auc_ratio", "roc_auc", "Ratio of ROC AUC"),
    _ratio("brier_score_ratio", "brier_score", "Ratio of Brier score", "high"),
    _ratio("log_loss_ratio", "log_loss", "Ratio of log loss", "high"),
    _ratio("calibration_error_ratio", "calibration_error", "Ratio of calibration error", "high"),
    _lowest("accuracy_score_group_min", "accuracy", "Lowest accuracy"),
    _lowest("balanced_accuracy_score_group_min", "balanced_accuracy", "Lowest balanced accuracy"),
    _lowest("precision_score_group_min", "precision", "Lowest precision"),
    _lowest("recall_score_group_min", "true_positive_rate", "Fewest people labelled good who are served"),
    _lowest("f1_score_group_min", "f1_score", "Lowest F1 score"),
    _lowest("roc_auc_score_group_min", "roc_auc", "Lowest ROC AUC"),
    _highest("zero_one_loss_group_max", "zero_one_loss", "Most wrong decisions"),
    _highest("log_loss_group_max", "log_loss", "Highest log loss"),
)

_ROWS = {metric.name: metric for metric in (*_RATES, *_COMPARED)}
METRICS: Mapping[str, Metric] = MappingProxyType(_ROWS)
DEFAULT_METRICS = tuple(metric.name for metric in METRICS.values() if metric.usual)


def shown(*kinds: Kind, probability: bool = True) -> tuple[str, ...]:
    """Name the metrics of some kinds that pages list.

    Parameters
    ----------
    *kinds : {"rate", "detection", "difference", "ratio", "group_min", "group_max"}
    probability : bool
        Whether scores are probabilities; metrics that need them are left out otherwise.

    Examples
    --------
    >>> shown("ratio")[:2]
    ('demographic_parity_ratio', 'equal_opportunity_ratio')
    """
    return tuple(
        metric.name
        for metric in METRICS.values()
        if metric.kind in kinds and metric.is_shown and (probability or not metric.needs_probability)
    )


def metric_of(name: str) -> Metric:
    """Look a metric up.

    Raises
    ------
    InputError
        If there is none of that name; the nearest names are offered.

    Examples
    --------
    >>> metric_of("equalized_odds_difference").rates
    ('true_positive_rate', 'false_positive_rate')
    >>> metric_of("equal_oportunity_difference")
    Traceback (most recent call last):
    core.errors.InputError: A metric must be one of the ... of core.METRICS. Got 'equal_oportunity_difference'. Did you mean ...
    """
    if not isinstance(name, str) or name not in METRICS:
        near = nearest(name, METRICS) or f" The usual ones are {', '.join(DEFAULT_METRICS)}."
        raise InputError(f"A metric must be one of the {len(METRICS)} of core.METRICS. Got {name!r}.{near}")
    return METRICS[name]


def metrics_of(names: str | Iterable[str] | None) -> tuple[Metric, ...]:
    """Look several metrics up, repeats dropped; None is the default choice, a string one name."""
    if names is not None and not isinstance(names, str | Iterable):
        raise InputTypeError(f"Metrics must be a name of core.METRICS or a list of them. Got {names!r} instead.")
    wanted = DEFAULT_METRICS if names is None else (names,) if isinstance(names, str) else tuple(names)
    return tuple({metric.name: metric for metric in map(metric_of, wanted)}.values())
