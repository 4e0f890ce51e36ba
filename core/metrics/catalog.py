"""The catalog: every metric Redress knows, one row each.

Names are fairlearn's where fairlearn has one. Group rates take favorable_label as their positive class; detection metrics take
pos_label. A difference is the largest less the smallest group rate, a ratio the smallest over the largest.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import numpy as np
import numpy.typing as npt

from core.errors import InputError, InputTypeError, nearest
from core.numerics.statistics.counts import FloatArray

Kind = Literal["rate", "detection", "difference", "ratio", "group_min", "group_max"]


@dataclass(frozen=True)
class Metric:
    """What a metric is.

    Parameters
    ----------
    name : str
        Its key.
    kind : {"rate", "detection", "difference", "ratio", "group_min", "group_max"}
        A rate has a value per group and overall; a detection metric is a rate of pos_label; the others compare groups.
    uses : {"cells", "scores"}
        Whether decisions suffice, or scores are needed.
    rates : tuple of str
        The rates it is made of; a rate is its own.
    better : {"lower", "higher", "neither"}
        Which way it should go.
    worst_off : {"low", "high"}
        Which end of its rate the worst-off group is at: a low share of good outcomes, a high share of errors.
    label : str
        Words for people.
    formula : str
        What is computed. Y: label is favourable, D: decision is favourable, g: group, s: score of the favourable label.
    """

    name: str
    kind: Kind
    uses: Literal["cells", "scores"]
    rates: tuple[str, ...]
    better: Literal["lower", "higher", "neither"]
    worst_off: Literal["low", "high"]
    label: str
    formula: str

    @property
    def rate(self) -> str:
        """The rate it is made of; of several, the first."""
        return self.rates[0]

    def worst_end(self, *, pos_is_favorable: bool) -> Literal["low", "high"]:
        """Return at which end of the rate the group named worst is in a case.

        Where the class that is scored is the bad outcome, as in fraud, a good decision on a bad label is harm that passes unflagged: there
        the group named is the one missed most.

        Examples
        --------
        >>> rate = METRICS["false_positive_rate"]
        >>> rate.worst_end(pos_is_favorable=True), rate.worst_end(pos_is_favorable=False)
        ('low', 'high')
        """
        if pos_is_favorable or self.rate not in ("false_positive_rate", "true_negative_rate"):
            return self.worst_off
        return "high" if self.worst_off == "low" else "low"

    @property
    def words(self) -> str:
        """The label as it stands inside a sentence."""
        return self.label if self.label[:2].isupper() else self.label[:1].lower() + self.label[1:]

    @property
    def compares_groups(self) -> bool:
        """Whether it is a difference, ratio or extreme over groups."""
        return self.kind not in ("rate", "detection")

    def short_of_best(self, value: npt.ArrayLike) -> FloatArray:
        """Return how far values are from the best there is: a gap's own value, 1 less the value where higher is better.

        Examples
        --------
        >>> gap, ratio = METRICS["demographic_parity_difference"], METRICS["demographic_parity_ratio"]
        >>> float(gap.short_of_best(0.25)), float(ratio.short_of_best(0.75))
        (0.25, 0.25)
        """
        found = np.asarray(value, dtype=np.float64)
        return found if self.better == "lower" else 1.0 - found

    def is_level(self, value: float, digits: int = 3) -> bool:
        """Return whether groups are equal to the digits printed; they are not said to have changed places then.

        Examples
        --------
        >>> gap, ratio = METRICS["demographic_parity_difference"], METRICS["demographic_parity_ratio"]
        >>> gap.is_level(0.0004), gap.is_level(0.0004, 4), ratio.is_level(0.9996), ratio.is_level(0.0)
        (True, False, True, False)
        """
        return round(value - (1.0 if self.kind == "ratio" else 0.0), digits) == 0


def _rate(name: str, better: str, label: str, formula: str, worst_off: str = "low") -> Metric:
    uses = "scores" if name in SCORE_RATES else "cells"
    return Metric(name, "rate", uses, (name,), better, worst_off, label, formula)  # type: ignore[arg-type]


def _detection(name: str, better: str, label: str, formula: str) -> Metric:
    uses = "scores" if name in SCORE_RATES else "cells"
    return Metric(name, "detection", uses, (name,), better, "low", label, formula)  # type: ignore[arg-type]


def _difference(name: str, rates: str, label: str, worst_off: str = "low") -> Metric:
    parts = tuple(rates.split())
    gaps = [f"max_g {rate} - min_g {rate}" for rate in parts]
    formula = gaps[0] if len(gaps) == 1 else f"max({', '.join(gaps)})"
    uses = "scores" if parts[0] in SCORE_RATES else "cells"
    return Metric(name, "difference", uses, parts, "lower", worst_off, label, formula)  # type: ignore[arg-type]


def _ratio(name: str, rates: str, label: str, worst_off: str = "low") -> Metric:
    parts = tuple(rates.split())
    ratios = [f"min_g {rate} / max_g {rate}" for rate in parts]
    formula = ratios[0] if len(ratios) == 1 else f"min({', '.join(ratios)})"
    uses = "scores" if parts[0] in SCORE_RATES else "cells"
    return Metric(name, "ratio", uses, parts, "higher", worst_off, label, formula)  # type: ignore[arg-type]


def _lowest(name: str, rate: str, label: str) -> Metric:
    uses = "scores" if rate in SCORE_RATES else "cells"
    return Metric(name, "group_min", uses, (rate,), "higher", "low", label, f"min_g {rate}")  # type: ignore[arg-type]


def _highest(name: str, rate: str, label: str) -> Metric:
    uses = "scores" if rate in SCORE_RATES else "cells"
    return Metric(name, "group_max", uses, (rate,), "lower", "high", label, f"max_g {rate}")  # type: ignore[arg-type]


SCORE_RATES = frozenset({"roc_auc", "brier_score", "log_loss", "calibration_error", "average_precision"})
NEEDS_PROBABILITY = frozenset({"brier_score", "log_loss", "calibration_error"})

_ROWS = (
    _rate("count", "neither", "Records", "n"),
    _rate("base_rate", "neither", "Share deserving the good outcome", "P(Y | g)"),
    _rate("selection_rate", "higher", "Share given the good outcome", "P(D | g)"),
    _rate("true_positive_rate", "higher", "Deserving people given the good outcome", "P(D | Y, g)"),
    _rate("false_positive_rate", "lower", "Undeserving people given the good outcome", "P(D | not Y, g)"),
    _rate("true_negative_rate", "higher", "Undeserving people refused", "P(not D | not Y, g)", "high"),
    _rate("false_negative_rate", "lower", "Deserving people refused", "P(not D | Y, g)", "high"),
    _rate("accuracy", "higher", "Accuracy", "P(D = Y | g)"),
    _rate("zero_one_loss", "lower", "Share of wrong decisions", "P(D != Y | g)", "high"),
    _rate("balanced_accuracy", "higher", "Balanced accuracy", "(P(D | Y, g) + P(not D | not Y, g)) / 2"),
    _rate("precision", "higher", "Deserving among those given the good outcome", "P(Y | D, g)"),
    _rate("f1_score", "higher", "F1 score of the good outcome", "2 TP / (2 TP + FP + FN) of the favourable label"),
    _rate("roc_auc", "higher", "ROC AUC", "P(s_i > s_j) + P(s_i = s_j) / 2 for i with Y, j without, both in g"),
    _rate("brier_score", "lower", "Brier score", "mean of (s - Y)^2 in g", "high"),
    _rate("log_loss", "lower", "Log loss", "mean of -log(probability given to the label) in g", "high"),
    _rate(
        "calibration_error",
        "lower",
        "Expected calibration error",
        "sum over 10 score bins b of |sum of (s - Y) in b and g| / n_g",
        "high",
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
    ),
    _difference("demographic_parity_difference", "selection_rate", "Gap in good outcomes"),
    _difference("selection_rate_difference", "selection_rate", "Gap in good outcomes"),
    _difference("equal_opportunity_difference", "true_positive_rate", "Gap in deserving people served"),
    _difference("true_positive_rate_difference", "true_positive_rate", "Gap in deserving people served"),
    _difference("false_positive_rate_difference", "false_positive_rate", "Gap in undeserving people served"),
    _difference("true_negative_rate_difference", "true_negative_rate", "Gap in undeserving people refused", "high"),
    _difference("false_negative_rate_difference", "false_negative_rate", "Gap in deserving people refused", "high"),
    _difference("equalized_odds_difference", "true_positive_rate false_positive_rate", "Gap in equalized odds"),
    _difference("accuracy_score_difference", "accuracy", "Gap in accuracy"),
    _difference("zero_one_loss_difference", "zero_one_loss", "Gap in wrong decisions", "high"),
    _difference("balanced_accuracy_difference", "balanced_accuracy", "Gap in balanced accuracy"),
    _difference("precision_difference", "precision", "Gap in precision"),
    _difference("f1_score_difference", "f1_score", "Gap in F1 score"),
    _difference("base_rate_difference", "base_rate", "Gap in the labels themselves"),
    _difference("roc_auc_difference", "roc_auc", "Gap in ROC AUC"),
    _difference("brier_score_difference", "brier_score", "Gap in Brier score", "high"),
    _difference("log_loss_difference", "log_loss", "Gap in log loss", "high"),
    _difference("calibration_error_difference", "calibration_error", "Gap in calibration error", "high"),
    _ratio("demographic_parity_ratio", "selection_rate", "Ratio of good outcomes"),
    _ratio("selection_rate_ratio", "selection_rate", "Ratio of good outcomes"),
    _ratio("equal_opportunity_ratio", "true_positive_rate", "Ratio of deserving people served"),
    _ratio("true_positive_rate_ratio", "true_positive_rate", "Ratio of deserving people served"),
    _ratio("false_positive_rate_ratio", "false_positive_rate", "Ratio of undeserving people served"),
    _ratio("true_negative_rate_ratio", "true_negative_rate", "Ratio of undeserving people refused", "high"),
    _ratio("false_negative_rate_ratio", "false_negative_rate", "Ratio of deserving people refused", "high"),
    _ratio("equalized_odds_ratio", "true_positive_rate false_positive_rate", "Ratio of equalized odds"),
    _ratio("accuracy_score_ratio", "accuracy", "Ratio of accuracy"),
    _ratio("zero_one_loss_ratio", "zero_one_loss", "Ratio of wrong decisions", "high"),
    _ratio("balanced_accuracy_ratio", "balanced_accuracy", "Ratio of balanced accuracy"),
    _ratio("precision_ratio", "precision", "Ratio of precision"),
    _ratio("f1_score_ratio", "f1_score", "Ratio of F1 score"),
    _ratio("base_rate_ratio", "base_rate", "Ratio of the labels themselves"),
    _ratio("roc_auc_ratio", "roc_auc", "Ratio of ROC AUC"),
    _ratio("brier_score_ratio", "brier_score", "Ratio of Brier score", "high"),
    _ratio("log_loss_ratio", "log_loss", "Ratio of log loss", "high"),
    _ratio("calibration_error_ratio", "calibration_error", "Ratio of calibration error", "high"),
    _lowest("accuracy_score_group_min", "accuracy", "Lowest accuracy"),
    _lowest("balanced_accuracy_score_group_min", "balanced_accuracy", "Lowest balanced accuracy"),
    _lowest("precision_score_group_min", "precision", "Lowest precision"),
    _lowest("recall_score_group_min", "true_positive_rate", "Fewest deserving people served"),
    _lowest("f1_score_group_min", "f1_score", "Lowest F1 score"),
    _lowest("roc_auc_score_group_min", "roc_auc", "Lowest ROC AUC"),
    _highest("zero_one_loss_group_max", "zero_one_loss", "Most wrong decisions"),
    _highest("log_loss_group_max", "log_loss", "Highest log loss"),
)

METRICS: Mapping[str, Metric] = MappingProxyType({row.name: row for row in _ROWS})

DEFAULT_METRICS = (
    "selection_rate",
    "true_positive_rate",
    "false_positive_rate",
    "precision",
    "accuracy",
    "balanced_accuracy",
    "roc_auc",
    "brier_score",
    "demographic_parity_difference",
    "demographic_parity_ratio",
    "equal_opportunity_difference",
    "false_positive_rate_difference",
    "equalized_odds_difference",
    "precision_difference",
    "accuracy_score_difference",
    "roc_auc_difference",
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
