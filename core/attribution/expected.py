"""Gains to expect, on rows that nobody searched, of a removal that a search found.

The confirm rows stay untouched.

A search that is measured on the rows it searched flatters itself. So the rows are divided in two halves: the search runs on one,
and what it finds is measured on the other, and both ways round; the mean over several divisions is the expected gain. Its variance
is the mean over divisions of ``(v1 + v2) / 4 + (E1 - E2)^2 / 4``, E the gains on the two halves and v their bootstrap variances: the
second part is how far what is found depends on the rows searched. Divisions share their rows, so that more of them steady the mean
and make it no surer.

References
----------
Chernozhukov, V. et al. (2018). Double/debiased machine learning. The Econometrics Journal 21.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

import numpy as np
from scipy.special import ndtri

from core.attribution.outcome import Outcome
from core.case.case import Case
from core.case.splits import split_test
from core.errors import InputError
from core.metrics.audit import sample_of
from core.metrics.catalog import Metric, metric_of
from core.metrics.gaps import combine
from core.metrics.samples import PairedSample, feature_name, generator
from core.typing import Feature, Floats, Positions, Progress
from core.words import where_said

T = TypeVar("T")

N_SPLITS = 5
LEVEL = 0.90
"""Coverage of the interval of an expected gain."""
NEAR = 0.1
"""No gain is expected where the interval ends below this share of the gap."""
N_RESAMPLES = 500


@dataclass(frozen=True)
class ExpectedGain:
    """By how much a metric can be expected to improve on rows that were not searched.

    Parameters
    ----------
    gain : float
        Towards the metric's better end: positive where a gap closes.
    low, high : float
        Its 90% interval. What other rows show scatters by their own sampling too.
    se : float
        Standard error.
    n_rows : int
        Rows searched, all halves together.
    n_splits : int
        Divisions into halves.
    n_found : int
        Of the searches on one half, two for each division, those whose finding was measured on the other half.
    gap : float
        How far the metric is from its best value on the rows searched, before anything is removed.
    """

    gain: float
    low: float
    high: float
    se: float
    n_rows: int
    n_splits: int
    n_found: int
    gap: float

    @property
    def helps(self) -> bool:
        """Whether a gain is expected beyond chance: the interval lies above 0."""
        return self.low > 0.0

    @property
    def none_expected(self) -> bool:
        """Whether the interval ends so near 0 that no gain worth the name is left in it."""
        return not self.helps and self.high <= NEAR * self.gap

    @property
    def sentence(self) -> str:
        """One sentence that says what to expect, and of which rows."""
        if self.helps:
            return f"Expected to close {self.gain:.3f} of {self.gap:.3f} on other rows, too (90% interval {self.low:.3f} to {self.high:.3f})."
        if self.none_expected:
            return f"No gain is expected on other rows (90% interval {self.low:.3f} to {self.high:.3f})."
        plus_or_minus = f"{self.gain:.3f} plus or minus {self.high - self.gain:.3f}"
        return f"Reached on the {self.n_rows:,} rows searched; these rows cannot tell whether it holds elsewhere (expected gain {plus_or_minus})."


class Gain(NamedTuple):
    """A gain measured on one half, and its variance there."""

    value: float
    variance: float


NOTHING = Gain(0.0, 0.0)
"""What a search gains that finds nothing to remove."""


@dataclass(frozen=True, eq=False)
class Half:
    """One half of the rows searched.

    Parameters
    ----------
    case : Case
        The case whose explore rows are this half.
    places : ndarray of int
        The half's rows, counted among those divided.
    """

    case: Case
    places: Positions

    def gain(self, metric: str, feature: Feature | None, scores: Floats, seed: int = 0) -> Gain | None:
        """Return by how much a metric improves here, None where it is undefined.

        Parameters
        ----------
        metric : str
        feature : str, tuple of str or None
            Whose groups the metric compares.
        scores : ndarray
            Scores of pos_label after a removal, for all the rows that were divided.
        seed : int
            Of the bootstrap.
        """
        found = metric_of(metric)
        before, after = sample_of(self.case, "explore"), sample_of(self.case, "explore", scores[self.places])
        codes, n_groups = np.zeros(len(self.places), dtype=np.intp), 1
        if found.compares_groups:
            groups = self.case.groups(feature, "explore")
            codes, n_groups = groups.codes.astype(np.intp), len(groups)
        rng = generator(seed, feature_name(feature or ""))
        rates = [PairedSample(before, after, codes, n_groups, N_RESAMPLES, rng).rate(rate) for rate in found.rates]
        value = _gain(found, [(was.estimate, now.estimate) for was, now in rates])
        draws = _gain(found, [(was.draws, now.draws) for was, now in rates])
        known = draws[np.isfinite(draws)]
        return Gain(float(value), float(known.var())) if np.isfinite(value) and len(known) else None


def _gain(metric: Metric, rates: list[tuple[Floats, Floats]]) -> Floats:
    was, now = ([pair[side] for pair in rates] for side in (0, 1))
    values = [combine(metric, side) if metric.compares_groups else side[0][..., 0] for side in (was, now)]
    return np.asarray(metric.short_of_best(values[0]) - metric.short_of_best(values[1]))


def exploring(case: Case, rows: Positions) -> Case:
    """Return the same prepared case with only some rows of the test table to explore."""
    others = np.ones(len(case.test), dtype=bool)
    others[rows] = False
    return case.with_confirm_rows(others)


def divide(
    case: Case, feature: Feature | None, on: str, n_splits: int = N_SPLITS, seed: int = 0
) -> list[tuple[Half, Half]]:
    """Divide the rows of a split in two halves, several times over.

    Each division is stratified by label and group.

    Parameters
    ----------
    case : Case
        Prepared, or every half is prepared by itself.
    feature : str, tuple of str or None
        Whose groups are halved.
    on : {"explore", "test"}
    n_splits : int
    seed : int

    Examples
    --------
    >>> import core
    >>> case = core.load_case("sample_data/credit")
    >>> halves = divide(case, "sex", "explore", n_splits=1)[0]
    >>> sum(len(half.places) for half in halves) == len(case.rows("explore"))
    True
    """
    rows = case.rows(on)
    codes = [] if feature is None else [case.groups(feature, on).codes]
    seeds = np.random.SeedSequence([seed, len(rows)]).generate_state(n_splits)
    sides = [split_test(case.y(on), codes, int(one)) for one in seeds]
    return [
        (
            Half(exploring(case, rows[side]), np.flatnonzero(side)),
            Half(exploring(case, rows[~side]), np.flatnonzero(~side)),
        )
        for side in sides
    ]


def average(pairs: Sequence[tuple[Gain | None, Gain | None]], *, n_rows: int, gap: float) -> ExpectedGain | None:
    """Return the expected gain from what was measured on both halves of every division.

    None where nothing was.

    Parameters
    ----------
    pairs : sequence of (Gain or None, Gain or None)
        One for each division; None where a search did not find what is looked at, or it could not be measured. A division that has
        but one gain counts with that gain's own variance.
    n_rows : int
        Rows divided.
    gap : float
        How far the metric is from its best value now.

    Examples
    --------
    >>> found = average([(Gain(0.1, 0.0004), Gain(0.06, 0.0004))], n_rows=1000, gap=0.2)
    >>> round(found.gain, 3), round(found.se, 4), found.helps
    (0.08, 0.0245, True)
    """
    known = [[one for one in pair if one is not None] for pair in pairs]
    values = [one.value for gains in known for one in gains]
    if not values:
        return None
    gain, se = float(np.mean(values)), float(np.sqrt(np.mean([_variance(gains) for gains in known if gains])))
    reach = float(ndtri(0.5 + LEVEL / 2.0)) * se
    return ExpectedGain(gain, gain - reach, gain + reach, se, n_rows, len(pairs), len(values), gap)


def _variance(gains: list[Gain]) -> float:
    if len(gains) == 1:
        return gains[0].variance
    first, second = gains
    return (first.variance + second.variance) / 4.0 + (first.value - second.value) ** 2 / 4.0


def expected_gain(
    case: Case,
    metric: str,
    feature: Feature | None,
    search: Callable[[Case], T | None],
    scores_without: Callable[[T], Floats],
    *,
    on: str = "explore",
    n_splits: int = N_SPLITS,
    seed: int = 0,
    progress: Progress | None = None,
) -> ExpectedGain:
    """Return the gain to expect of a search's finding.

    Search on one half of the rows, measure on the other, both ways.

    Costs two searches and two measurements for each division.

    Parameters
    ----------
    case : Case
        Prepared.
    metric : str
        With a better end.
    feature : str, tuple of str or None
        Whose groups it compares.
    search : callable
        Given a case whose explore rows are one half; returns what to remove, or None for nothing.
    scores_without : callable
        Given what a search returned; returns the scores of pos_label without it for all rows of `on`.
    on : {"explore", "test"}
        Rows to divide.
    n_splits, seed : int
        Of the divisions.
    progress : callable, optional
        Called with the share done and what is being done; may raise to give up.

    Raises
    ------
    InputError
        If the metric is undefined on the rows, or on every half.
    """
    gap = short_now(case, metric, feature, on)
    pairs = []
    for number, halves in enumerate(divide(case, feature, on, n_splits, seed)):
        gains: list[Gain | None] = []
        for place, (searched, other) in enumerate((halves, halves[::-1])):
            if progress is not None:
                progress(
                    (2 * number + place) / (2 * n_splits), "Searching one half of the rows, measuring on the other"
                )
            found = search(searched.case)
            gains.append(NOTHING if found is None else other.gain(metric, feature, scores_without(found), seed))
        pairs.append((gains[0], gains[1]))
    found_gain = average(pairs, n_rows=len(case.rows(on)), gap=gap)
    if found_gain is None:
        raise InputError(
            f"The metric must be defined on halves of the {on} rows{where_said(case.where)}. "
            f"{metric!r} of {feature!r} is not; hand in more rows, or choose another."
        )
    return found_gain


def short_now(case: Case, metric: str, feature: Feature | None, on: str) -> float:
    """Return how far a metric is from its best value now.

    Raises
    ------
    InputError
        If it has no better end, or is undefined.
    """
    found = metric_of(metric)
    if found.better == "neither":
        raise InputError(f"The metric must have a better end. {metric!r} has none; choose a gap, a ratio or a rate.")
    value = Outcome.of(case, metric, feature, on).value()
    if not np.isfinite(value):
        raise InputError(
            f"The metric must be defined on the {on} rows{where_said(case.where)}. {metric!r} of {feature!r} is not; choose another."
        )
    return float(found.short_of_best(value))
