"""Metrics: how each is computed, which way is better, and how it is shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from core.numerics.statistics.counts import FloatArray

Kind = Literal["rate", "detection", "difference", "ratio", "group_min", "group_max"]


@dataclass(frozen=True)
class Metric:
    """A metric: how it is computed, which way is better, and how it is shown.

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
    usual : bool
        Whether an audit that names no metrics measures it. Pages list it.
    listed : bool
        Whether pages list it beside the usual ones: in the tables of Check and, where it compares groups, on the strip.
    is_utility : bool
        Whether pages offer it as what a removal must not cost too much of.
    needs_probability : bool
        Whether scores have to be probabilities.
    is_area : bool
        Whether it is an area under a curve, whose error in small groups has a formula; other scores are means over records.
    most : float
        No value exceeds this.
    has_scale : bool
        Whether an interval of plus or minus 0.1 says that a group is large enough.
    of_bad_labels : bool
        Whether its rate is one of those with the bad label. Where that is the class that is scored, it counts harm that passes unflagged.
    share : str
        Of a rate, in words: which share of whom; {good} and {bad} stand for the two outcomes.
    detected : str
        What a rate is called where the class that is scored is the bad outcome, as in fraud; empty where that changes nothing.
    """

    name: str
    kind: Kind
    uses: Literal["cells", "scores"]
    rates: tuple[str, ...]
    better: Literal["lower", "higher", "neither"]
    worst_off: Literal["low", "high"]
    label: str
    formula: str
    usual: bool = False
    listed: bool = False
    is_utility: bool = False
    needs_probability: bool = False
    is_area: bool = False
    most: float = 1.0
    has_scale: bool = True
    of_bad_labels: bool = False
    share: str = ""
    detected: str = ""

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
        >>> from core.metrics import METRICS
        >>> rate = METRICS["false_positive_rate"]
        >>> rate.worst_end(pos_is_favorable=True), rate.worst_end(pos_is_favorable=False)
        ('low', 'high')
        """
        if pos_is_favorable or not self.of_bad_labels:
            return self.worst_off
        return "high" if self.worst_off == "low" else "low"

    @property
    def is_shown(self) -> bool:
        """Whether pages list it."""
        return self.usual or self.listed

    def heading(self, *, pos_is_favorable: bool) -> str:
        """Return the label where it heads something.

        Where the class that is scored is the bad outcome, errors are named by what they are.

        Examples
        --------
        >>> from core.metrics import METRICS
        >>> gap = METRICS["false_positive_rate_difference"]
        >>> gap.heading(pos_is_favorable=True), gap.heading(pos_is_favorable=False)
        ('Gap in people labelled bad who are served', 'Gap in the share missed')
        """
        if pos_is_favorable or len(self.rates) > 1 or not self.detected:
            return self.label
        kinds = {"difference": "Gap in the {}", "ratio": "Ratio of the {}", "rate": "{}"}
        return kinds[self.kind].format(self.detected).capitalize() if self.kind in kinds else self.label

    @property
    def words(self) -> str:
        """The label as it stands inside a sentence."""
        return self.label if self.label[:2].isupper() else self.label[:1].lower() + self.label[1:]

    @property
    def compares_groups(self) -> bool:
        """Whether the metric is a difference, ratio or extreme over groups."""
        return self.kind not in ("rate", "detection")

    def short_of_best(self, value: npt.ArrayLike) -> FloatArray:
        """Return how far values are from the best there is.

        A gap's own value, 1 less the value where higher is better.

        Examples
        --------
        >>> from core.metrics import METRICS
        >>> gap, ratio = METRICS["demographic_parity_difference"], METRICS["demographic_parity_ratio"]
        >>> float(gap.short_of_best(0.25)), float(ratio.short_of_best(0.75))
        (0.25, 0.25)
        """
        found = np.asarray(value, dtype=np.float64)
        return found if self.better == "lower" else 1.0 - found

    def is_level(self, value: float, digits: int = 3) -> bool:
        """Return whether groups are equal to the digits printed.

        They are not said to have changed places then.

        Examples
        --------
        >>> from core.metrics import METRICS
        >>> gap, ratio = METRICS["demographic_parity_difference"], METRICS["demographic_parity_ratio"]
        >>> gap.is_level(0.0004), gap.is_level(0.0004, 4), ratio.is_level(0.9996), ratio.is_level(0.0)
        (True, False, True, False)
        """
        return round(value - (1.0 if self.kind == "ratio" else 0.0), digits) == 0
