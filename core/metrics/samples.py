"""A scored sample seen through one sensitive feature.

Its rates by group, and how they scatter when resampled.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np

from core.case.groups import Groups
from core.errors import InputError
from core.metrics.catalog import METRICS
from core.metrics.intervals import auc_error_floor
from core.metrics.rates import RATES, group_rate
from core.metrics.scores import group_scores, positive_side
from core.numerics.statistics.counts import (
    BoolArray,
    FloatArray,
    IntArray,
    before_and_after,
    cell_counts,
    joint_counts,
    weighted_counts,
)
from core.numerics.statistics.effective import effective_cells, effective_size, exchangeable_cells, share_size
from core.numerics.statistics.resampling import Stratum, bootstrap_counts, permuted_counts, smoothed, swapped_counts

FEW = 20
"""Groups with fewer records (of the rarer label) do not vouch for their own spread."""


@dataclass(frozen=True)
class Sample:
    """A model's decisions and scores of labelled records, in terms of the favourable label.

    Parameters
    ----------
    label : bool array, shape (n,)
        Whether the label is favourable.
    decision : bool or float array, shape (n,)
        Whether the decision is favourable, or the probability that it is.
    score : float array, shape (n,), optional
        Score of the favourable label.
    probability : bool
        Whether scores are probabilities.
    pos_is_favorable : bool
        Whether pos_label is favorable_label.
    weight : float array, shape (n,), optional
        What each record counts; None is one each.
    """

    label: BoolArray
    decision: BoolArray | FloatArray
    score: FloatArray | None = None
    probability: bool = True
    pos_is_favorable: bool = True
    weight: FloatArray | None = None

    def take(self, rows: IntArray) -> Sample:
        """Return the sample of some records."""
        score, weight = (None if one is None else one[rows] for one in (self.score, self.weight))
        return replace(self, label=self.label[rows], decision=self.decision[rows], score=score, weight=weight)

    def side(self, rate: str) -> tuple[BoolArray, FloatArray]:
        """Return label and score of the class a score rate is about."""
        if self.score is None:
            raise InputError(f"{rate} needs scores. Only decisions were given; give scores, or leave it out.")
        return positive_side(
            rate, self.label, self.score, pos_is_favorable=self.pos_is_favorable, probability=self.probability
        )


class RateDraws(NamedTuple):
    """A rate of every group and its resamples.

    The resamples scatter around ``centre``, which is ``estimate`` except that cell counts are smoothed.
    """

    estimate: FloatArray
    centre: FloatArray
    draws: FloatArray


def generator(seed: int, feature: str | Sequence[str]) -> np.random.Generator:
    """Return the random stream of a feature.

    What it gives does not depend on the other features asked for.
    """
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise InputError(f"A seed must be a whole number, 0 or above. Got {seed!r}; 0 is usual.")
    return np.random.default_rng(
        [seed, zlib.crc32("\x1f".join([feature] if isinstance(feature, str) else feature).encode())]
    )


class Streams:
    """Random streams, one for each purpose.

    What a metric draws does not depend on the metrics asked for before it.
    """

    def __init__(self, rng: np.random.Generator) -> None:
        self._words = rng.spawn(1)[0].integers(1 << 63, size=2).tolist()

    def of(self, purpose: str) -> np.random.Generator:
        """Return the stream of a purpose, from its start."""
        return np.random.default_rng([*self._words, zlib.crc32(purpose.encode())])


def _scattered(counts: FloatArray, drawn: FloatArray, middle: FloatArray, rate: str, flag: bool) -> RateDraws:
    """Return a rate on counts, resamples and their centre.

    A resample without the rate keeps the centre.
    """
    estimate, draws, centre = (group_rate(rate, table, pos_is_favorable=flag) for table in (counts, drawn, middle))
    return RateDraws(estimate, centre, np.where(np.isnan(draws), centre, draws))


class GroupSample:
    """One sample by the groups of one sensitive feature.

    Everything is computed when first asked for.
    """

    def __init__(
        self, sample: Sample, codes: IntArray, n_groups: int, n_resamples: int, rng: np.random.Generator
    ) -> None:
        self.sample = sample
        self.codes = codes
        self.n_groups = n_groups
        self.n_resamples = n_resamples
        self.rng = rng
        self.streams = Streams(rng)
        self._rates: dict[str, RateDraws] = {}
        self._nulls: dict[Stratum, FloatArray] = {}
        self._errors: dict[str, tuple[FloatArray, FloatArray]] = {}
        self.p_values: dict[tuple[str, ...], float] = {}
        self.null_rates: dict[str, FloatArray] = {}

    @cached_property
    def counts(self) -> FloatArray:
        """Cell counts; sums of weights where records have such."""
        return self._weighted[0] if self.weighted else self._counted

    @cached_property
    def n(self) -> FloatArray:
        """Records per group."""
        return np.asarray(self._counted.sum(axis=(1, 2)))

    @property
    def weighted(self) -> bool:
        """Whether records have weights."""
        return self.sample.weight is not None

    @cached_property
    def _counted(self) -> FloatArray:
        return cell_counts(self.codes, self.sample.label, self.sample.decision, self.n_groups)

    @cached_property
    def _weighted(self) -> tuple[FloatArray, FloatArray]:
        """Sums of weights and of their squares."""
        if self.sample.weight is None:
            return self._counted, self._counted
        return weighted_counts(self.codes, self.sample.label, self.sample.decision, self.sample.weight, self.n_groups)

    @cached_property
    def _cells(self) -> tuple[FloatArray, FloatArray]:
        """How many equal records every cell is worth, and the weight of one."""
        return effective_cells(*self._weighted)

    @cached_property
    def n_effective(self) -> FloatArray:
        """How many equal records every group is worth."""
        return effective_size(*self._weighted, np.ones((2, 2))) if self.weighted else self.n

    def share_size(self, top: FloatArray, bottom: FloatArray) -> FloatArray:
        """Return how many equal records a share of every group is taken over."""
        if self.weighted:
            return share_size(*self._weighted, top, bottom)
        return np.asarray((self.counts * bottom).sum(axis=(1, 2)))

    def _tables(self, counts: FloatArray) -> FloatArray:
        """Return tables of effective counts as sums of weights."""
        return counts * self._cells[1] if self.weighted else counts

    @cached_property
    def drawn(self) -> FloatArray:
        """Bootstrap tables."""
        return self._tables(
            bootstrap_counts(self._cells[0] if self.weighted else self.counts, self.n_resamples, self.rng)
        )

    @cached_property
    def _resampled(self) -> dict[bool, tuple[FloatArray, FloatArray]]:
        """Bootstrap tables and their centre, for rates over all records and for those over some.

        Each gets one record right and one wrong.
        """
        once = smoothed(self._cells[0] if self.weighted else self.counts)
        drawn = bootstrap_counts(once, self.n_resamples, self.streams.of("resampled for rates over some records"))
        return {
            True: (self.drawn, self._tables(once)),
            False: (self._tables(drawn), self._tables(smoothed(once))),
        }

    def exchangeable(self, stratum: Stratum) -> FloatArray:
        """Return the table whose records change groups where groups do not matter."""
        return exchangeable_cells(*self._weighted, stratum) if self.weighted else self.counts

    def null(self, stratum: Stratum) -> FloatArray:
        """Return tables with group labels permuted."""
        if stratum not in self._nulls:
            self._nulls[stratum] = permuted_counts(
                self.exchangeable(stratum), stratum, self.n_resamples, self.streams.of(f"permuted within {stratum}")
            )
        return self._nulls[stratum]

    def score_errors(self, rate: str) -> tuple[FloatArray, FloatArray]:
        """Return a score rate of every group and its standard error (infinitesimal jackknife)."""
        if rate not in self._errors:
            values, derivatives = group_scores(
                rate, *self.sample.side(rate), self.codes, self.n_groups, self.sample.weight
            )
            variance: FloatArray = np.bincount(self.codes, derivatives**2, self.n_groups).astype(np.float64)
            self._errors[rate] = values, np.maximum(np.sqrt(variance), self._least_error(rate, values, variance))
        return self._errors[rate]

    def _least_error(self, rate: str, values: FloatArray, variance: FloatArray) -> FloatArray:
        """Bound errors of groups too small to show their spread.

        By a formula for areas, by all groups' spread for means.
        """
        if METRICS[rate].is_area:
            label = self._cells[0].sum(axis=2) if self.weighted else self.counts.sum(axis=2)
            few = label.min(axis=1) < FEW
            return np.where(few, auc_error_floor(values, label[:, 1], label[:, 0]), 0.0)
        n = np.maximum(self.n_effective, 1.0)
        spread = np.nansum(variance * n**2) / max(float(self.n_effective.sum()), 1.0)
        return np.where(self.n_effective < FEW, np.sqrt(spread / n), 0.0)

    def rate(self, rate: str) -> RateDraws:
        """Return a rate of every group with its resamples."""
        if rate not in self._rates:
            if METRICS[rate].uses == "scores":
                values, error = self.score_errors(rate)
                noise = self.streams.of(rate).normal(size=(self.n_resamples, self.n_groups))
                self._rates[rate] = RateDraws(values, values, values + noise * error)
            else:
                drawn, centre = self._resampled[RATES[rate].stratum == "all"]
                self._rates[rate] = _scattered(self.counts, drawn, centre, rate, self.sample.pos_is_favorable)
        return self._rates[rate]

    def values(self, rate: str) -> FloatArray:
        """Return a rate of every group."""
        if METRICS[rate].uses == "scores":
            return self.score_errors(rate)[0]
        return group_rate(rate, self.counts, pos_is_favorable=self.sample.pos_is_favorable)


class PairedSample:
    """Two models on the same records, by the groups of one sensitive feature."""

    def __init__(
        self, before: Sample, after: Sample, codes: IntArray, n_groups: int, n_resamples: int, rng: np.random.Generator
    ) -> None:
        self.before = before
        self.after = after
        self.codes = codes
        self.n_groups = n_groups
        self.n_resamples = n_resamples
        self.rng = rng
        self.streams = Streams(rng)
        self._rates: dict[str, tuple[RateDraws, RateDraws]] = {}
        self._swapped: dict[str, tuple[FloatArray, FloatArray]] = {}
        self._moments: dict[str, tuple[FloatArray, FloatArray, FloatArray]] = {}

    @cached_property
    def joint(self) -> FloatArray:
        """Joint counts ``[group, label, before, after]``."""
        return joint_counts(self.codes, self.before.label, self.before.decision, self.after.decision, self.n_groups)

    @cached_property
    def drawn(self) -> FloatArray:
        """Bootstrap joint tables."""
        return bootstrap_counts(self.joint, self.n_resamples, self.rng)

    @cached_property
    def swapped(self) -> FloatArray:
        """Joint tables with before and after swapped at random."""
        return swapped_counts(self.joint, self.n_resamples, self.streams.of("swapped"))

    def swapped_rate(self, rate: str) -> tuple[FloatArray, FloatArray]:
        """Return a rate of every group before and after in the swapped tables."""
        if rate not in self._swapped:
            flag = self.before.pos_is_favorable
            before, after = (group_rate(rate, side, pos_is_favorable=flag) for side in before_and_after(self.swapped))
            self._swapped[rate] = before, after
        return self._swapped[rate]

    def rate(self, rate: str) -> tuple[RateDraws, RateDraws]:
        """Return a rate of every group before and after, resampled together."""
        if rate not in self._rates:
            self._rates[rate] = self._score_rate(rate) if METRICS[rate].uses == "scores" else self._cell_rate(rate)
        return self._rates[rate]

    def _cell_rate(self, rate: str) -> tuple[RateDraws, RateDraws]:
        tables, drawn, centres = self._sides
        flag = self.before.pos_is_favorable
        sides = [_scattered(*side, rate, flag) for side in zip(tables, drawn, centres, strict=True)]
        return sides[0], sides[1]

    @cached_property
    def _sides(self) -> tuple[tuple[FloatArray, FloatArray], ...]:
        """Cell counts, their resamples and their centre, each before and after."""
        return tuple(before_and_after(joint) for joint in (self.joint, self.drawn, smoothed(self.joint)))

    def score_moments(self, rate: str) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return a score rate before and after, its derivatives by weights and their covariances.

        The shapes are (2, G), (2, n) and (2, 2, G).
        """
        if rate not in self._moments:
            self._moments[rate] = self._score_moments(rate)
        return self._moments[rate]

    def _score_moments(self, rate: str) -> tuple[FloatArray, FloatArray, FloatArray]:
        parts = [group_scores(rate, *s.side(rate), self.codes, self.n_groups) for s in (self.before, self.after)]
        derivatives = np.array([part[1] for part in parts])
        covariance = np.array(
            [
                [np.bincount(self.codes, weights=a * b, minlength=self.n_groups) for b in derivatives]
                for a in derivatives
            ]
        )
        return np.array([part[0] for part in parts]), derivatives, covariance

    def _score_rate(self, rate: str) -> tuple[RateDraws, RateDraws]:
        values, _, covariance = self.score_moments(rate)
        noise = self.streams.of(rate).normal(size=(2, self.n_resamples, self.n_groups))
        error = np.sqrt(covariance[0, 0])
        slope = np.divide(covariance[0, 1], error, out=np.zeros_like(error), where=error > 0)
        own = np.sqrt(np.maximum(covariance[1, 1] - slope**2, 0.0))
        before = values[0] + noise[0] * error
        after = values[1] + noise[0] * slope + noise[1] * own
        return RateDraws(values[0], values[0], before), RateDraws(values[1], values[1], after)


def occupied(groups: Groups) -> tuple[tuple[str, ...], IntArray]:
    """Drop the combinations of an intersection that no record has.

    Single features keep every group.
    """
    if isinstance(groups.feature, str):
        return groups.names, groups.codes
    present, codes = np.unique(groups.codes, return_inverse=True)
    return tuple(groups.names[code] for code in present), codes


def feature_name(feature: str | Sequence[str]) -> str:
    """Return the name a feature goes by in tables: intersections are joined by "&"."""
    return feature if isinstance(feature, str) else " & ".join(feature)
