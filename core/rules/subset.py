"""A rule whose records were really removed, what that did, and what to expect of it."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import Any

import pandas as pd

from core.attribution.expected import ExpectedGain
from core.metrics.catalog import metric_of
from core.rules.conditions import Condition, rule_text
from core.rules.gap import BEYOND_CHANCE
from core.shown import Shown
from core.typing import Floats
from core.words import chance, count

COLUMNS = (
    *("rule", "n_records", "support", "predicted", "verified", "change", "low", "high", "reversed"),
    *(
        "responsibility",
        "expected_gain",
        "expected_low",
        "expected_high",
        "helps",
        "this_group",
        "found_again",
        "levels_down",
        "sensitive",
    ),
)
"""Of the table of rules."""
OFTEN, HALF = 0.5, 0.5
"""Share of the searches on half of the rows that have to come by a rule for it to be said to help; share of the gap that a cause closes."""
AGAIN = 0.8
"""Share of the searches on half of the rows that have to find a rule's records again for it to be taken for the cause."""


@dataclass(frozen=True, eq=False, repr=False)
class Subset(Shown):
    """A describable set of training records, and what removing it did to a gap.

    Parameters
    ----------
    conditions : tuple of Condition
        All of which hold.
    forget : Index
        Ids of the retained records that meet them.
    support : float
        Their share of the retained records.
    metric : str
    before, after : float
        The metric on all rows of the split, before and after the records were really removed.
    predicted : float
        After less before, as the search predicted it without removing the records from the whole model; NaN where removals had to be
        measured to be known. What `core.preview` gives for the same records is a prediction of its own: see `beside_a_preview`.
    change, low, high : float
        Paired change and its interval, `core.compare`'s. Where `reversed`, of the signed difference, else `verified`.
    reversed : bool
        Whether the two groups have changed places.
    levels_down : bool
        Whether the gap closes mostly because the better-off group fares worse. Such rules come last.
    make_up : DataFrame
        Records of the subset by group and label, and their share of all such records.
    sensitive : tuple of str
        Sensitive features among the conditions.
    method, guarantee : str
        How the records were removed, and what that guarantees.
    beside_a_preview : str
        One sentence on how the measured change was found, and why a preview of the same records may give another.
    scores_after : ndarray
        Scores of pos_label on the rows of the split once the records were removed.
    worth : float
        By how much the gap really closes for the size of the rule, by which rules are ordered: soft decisions, without what the better-off
        lose, over the root of the support. A rule that its labels make the one to show stands where the best about the same cause would.
    notes : tuple of str
        What the removal said.
    expected : ExpectedGain or None
        What to expect on rows that were not searched: over the searches on half of the rows that came by the rule, the gain on the other
        half. None until `core.expected_gains` was asked, and where no such search came by it.
    found_again : int or None
        How many of these searches put much the same records (Jaccard 0.5 or more) first; None until they were made.
    n_searches : int
        How many were made.
    gap_p_value : float or None
        That there is a gap at all, as `GapTest` has it; None until `core.expected_gains` was asked.
    """

    conditions: tuple[Condition, ...]
    forget: pd.Index[Any]
    support: float
    metric: str
    before: float
    after: float
    predicted: float
    change: float
    low: float
    high: float
    reversed: bool
    levels_down: bool
    make_up: pd.DataFrame
    sensitive: tuple[str, ...]
    method: str
    guarantee: str
    beside_a_preview: str
    scores_after: Floats
    worth: float
    notes: tuple[str, ...] = ()
    expected: ExpectedGain | None = None
    found_again: int | None = None
    n_searches: int = 0
    gap_p_value: float | None = None

    def lines(self) -> list[str]:
        """Say whose removal did what to the gap."""
        found = f"{self.metric} {self.before:.3f} -> {self.after:.3f} when really removed by {self.method} ({self.guarantee})"
        return [self.line, found, *([", ".join(self.remarks)] if self.remarks else [])]

    def to_frame(self) -> pd.DataFrame:
        """Return the rule as one row of the explanation's table."""
        return pd.DataFrame([[getattr(self, name) for name in COLUMNS]], columns=list(COLUMNS))

    @property
    def line(self) -> str:
        """The rule, its records and the changes, in one line."""
        predicted = "not predicted" if math.isnan(self.predicted) else f"predicted {self.predicted:+.3f}"
        between = f"{self._signed}{self.low:+.3f} to {self.high:+.3f}"
        records = f"{count(self.n_records, 'record')} ({self.support:.1%})"
        return f"{self.rule}: {records}, {predicted}, measured {self.verified:+.3f} ({between}){self._expecting}"

    @property
    def remarks(self) -> tuple[str, ...]:
        """Marks of the rule, in a word or two each."""
        said = {"overshoots": self.turned, "levels down": self.levels_down, "this group": bool(self.this_group)}
        said["may be chance"] = self.helps is False
        return tuple(word for word, holds in said.items() if holds)

    @property
    def _expecting(self) -> str:
        return "" if self.expected is None else f", expected to close {self.expected.gain:.3f}"

    @property
    def rule(self) -> str:
        """The rule as a person reads it."""
        return rule_text(self.conditions)

    @property
    def n_records(self) -> int:
        """Number of records."""
        return len(self.forget)

    @property
    def verified(self) -> float:
        """After less before when the records were really removed.

        Measured on the rows searched; the same quantity as `predicted`.
        """
        return self.after - self.before

    @property
    def helps(self) -> bool | None:
        """Whether a gain is expected beyond chance on rows that were not searched.

        Of a gap that may itself be chance no rule is said to help. None until `core.expected_gains` was asked.
        """
        if self.found_again is None:
            return None
        often = self.expected is not None and self.expected.n_found >= OFTEN * self.n_searches
        return bool(self._of_a_gap and often and self.expected is not None and self.expected.helps)

    @property
    def _of_a_gap(self) -> bool:
        """Whether the gap itself is beyond chance; without one nothing helps."""
        return self.gap_p_value is None or self.gap_p_value <= BEYOND_CHANCE

    @property
    def this_group(self) -> bool | None:
        """Whether just these records are taken for the cause.

        That is, they help, close at least half of the gap, and at least 8 of 10 searches on half of the rows put much the same first.
        """
        if self.found_again is None:
            return None
        return bool(self.helps) and self.responsibility >= HALF and self.found_again >= AGAIN * self.n_searches

    @property
    def expected_gain(self) -> float:
        """By how much the gap is expected to close on rows that were not searched.

        NaN where that is not known.
        """
        return math.nan if self.expected is None else self.expected.gain

    @property
    def expected_low(self) -> float:
        """Lower end of its 90% interval."""
        return math.nan if self.expected is None else self.expected.low

    @property
    def expected_high(self) -> float:
        """Upper end of its 90% interval."""
        return math.nan if self.expected is None else self.expected.high

    @property
    def survives(self) -> bool:
        """Deprecated: `helps`, False where that is not known."""
        warnings.warn(
            "`survives` is now `helps`, which core.expected_gains finds out.", DeprecationWarning, stacklevel=2
        )
        return bool(self.helps)

    @property
    def responsibility(self) -> float:
        """Share of the gap that goes with the records: (gap before - gap after) / gap before."""
        return responsibility(self.metric, self.before, self.after)

    @property
    def turned(self) -> bool:
        """Whether the groups change places and are left with a gap that shows.

        That is, `reversed`, and not equal to the digits of `sentence`.
        """
        return self.reversed and not metric_of(self.metric).is_level(self.after)

    @property
    def sentence(self) -> str:
        """One sentence that says it all."""
        parts = [
            f"Without the {self.n_records:,} records ({self.support:.1%}) where {self.rule}, the {metric_of(self.metric).words} goes from "
            f"{self.before:.3f} to {self.after:.3f}{self._turned} (change {self.verified:+.3f}, predicted {self.predicted:+.3f}, "
            f"{self._signed}interval {self.low:+.3f} to {self.high:+.3f})"
        ]
        if self.predicted * self.verified < 0:
            parts.append("although the prediction had it the other way")
        if self.levels_down:
            parts.append("mostly because the better-off fare worse")
        if self.sensitive:
            parts.append(f"and the rule names {' and '.join(self.sensitive)} (sensitive)")
        return ", ".join(parts) + "."

    @property
    def claim(self) -> str:
        """One sentence on what to expect on rows that were not searched.

        Empty until `core.expected_gains` was asked.
        """
        if self.found_again is None:
            return ""
        if self.expected is None:
            return f"None of {self.n_searches} searches on half of the rows came by this rule, so that nothing is expected of it on other rows."
        if self.expected.helps and not self._of_a_gap:
            return f"These rows cannot tell whether it holds elsewhere, as the gap itself may be chance (p {chance(self.gap_p_value or 0.0)})."
        if self.expected.helps and not self.helps:
            came_by = (
                f"only {self.expected.n_found} of {self.n_searches} searches on half of the rows came by this rule"
            )
            return f"These rows cannot tell whether it holds elsewhere, as {came_by}."
        again = (
            f"{self.found_again} of {self.n_searches} searches on half of the rows found much the same records first"
        )
        if self.this_group:
            return f"{self.expected.sentence} {again}: it is this group."
        if self.helps:
            return f"{self.expected.sentence} {again}: other groups may explain the gap as well."
        return self.expected.sentence

    @property
    def _turned(self) -> str:
        return " the other way round, as the two groups change places" if self.turned else ""

    @property
    def _signed(self) -> str:
        """The quantity that the interval is of, where that is not the change named before it."""
        if not self.turned:
            return ""
        kind = "ratio" if metric_of(self.metric).kind == "ratio" else "difference"
        return f"signed {kind} {self.change:+.3f}, "


def share_asked(share: float) -> str:
    """Return a share as it was asked for.

    Examples
    --------
    >>> share_asked(0.05), share_asked(0.125)
    ('5%', '12.5%')
    """
    return f"{100.0 * share:g}%"


def responsibility(metric: str, before: float, after: float) -> float:
    """Return the share of a gap that a removal closed.

    Examples
    --------
    >>> round(responsibility("equal_opportunity_difference", 0.1, 0.025), 3)
    0.75
    """
    was, now = (float(metric_of(metric).short_of_best(value)) for value in (before, after))
    return (was - now) / was if was > 0.0 else float("nan")
