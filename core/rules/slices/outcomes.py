"""Verdicts on slices: whether a share is worse there, or a gap wider.

Whether a share is worse in a slice than in the other rows is Fisher's exact test, one-sided: the outcomes are dealt to the rows at random, the slice
and their number held fixed. Whether a gap is wider there compares the difference between the slice's two extreme groups with the same difference
in the other rows, whichever way round it is there; its error inside is that of equal groups, with a correction for continuity, and its p-value
counts every ordered pair of groups that could have been the extremes.

References
----------
Fisher (1922), On the interpretation of chi-square from contingency tables, JRSS 85. Yates (1934), JRSS supplement 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from scipy.special import gammaln, ndtr

from core.metrics.intervals import normal_quantile, wilson
from core.typing import Bools, Floats, Longs, Positions

_LEVEL = 0.95
FEW_OF_GROUP = 10
"""Rows of a group in a slice below which it is left out of the slice's gap; outside, below which nothing is tested."""


class SliceVerdicts(NamedTuple):
    """Values in slices and in the other rows, intervals, and p-values of being worse inside.

    `sure` is by how much it is worse inside than over all rows, at the end of the interval nearer to that; `ends` are the groups that a gap is
    between, the one with the lower rate first.
    """

    value: Floats
    low: Floats
    high: Floats
    rest: Floats
    p_value: Floats
    sure: Floats
    ends: Positions | None = None


class Outcomes(Protocol):
    """Masks over the rows to count in slices, and a verdict on the counts."""

    @property
    def masks(self) -> list[Bools]:
        """Return the masks whose rows are counted in every slice, all rows first."""

    def judge(self, counts: Longs, whole: Longs) -> SliceVerdicts:
        """Judge slices by their counts among rows with counts `whole`."""


@dataclass(frozen=True, eq=False)
class ShareOutcomes:
    """A share of rows.

    Parameters
    ----------
    hit : ndarray of bool
        Which of the rows that the share is of count.
    worse : float
        1 where a high share is bad, else -1.
    """

    hit: Bools
    worse: float

    @property
    def masks(self) -> list[Bools]:
        """All rows, and those that make the share worse."""
        return [np.ones(len(self.hit), dtype=bool), self.hit == (self.worse > 0)]

    def judge(self, counts: Longs, whole: Longs) -> SliceVerdicts:
        """Judge slices by a one-sided exact test."""
        n, bad = counts[:, 0], counts[:, 1]
        total, all_bad = whole[0], whole[1]
        low, high = wilson(bad / n, n.astype(np.float64), _LEVEL)
        outside = total - n
        rest = np.divide(all_bad - bad, outside, out=np.full(len(n), np.nan), where=outside > 0)
        p = upper_tail(bad, n, int(all_bad), int(total))
        sure = low - all_bad / max(total, 1)
        if self.worse > 0:
            return SliceVerdicts(bad / n, low, high, rest, p, sure)
        return SliceVerdicts(1 - bad / n, 1 - high, 1 - low, 1 - rest, p, sure)


@dataclass(frozen=True, eq=False)
class GapOutcomes:
    """A difference between groups.

    Parameters
    ----------
    hit : ndarray of bool
    codes : ndarray of int
        The group of every row.
    n_groups : int
    """

    hit: Bools
    codes: Positions
    n_groups: int

    @property
    def masks(self) -> list[Bools]:
        """All rows, those of each group, and those of each that count."""
        every = [self.codes == group for group in range(self.n_groups)]
        return [np.ones(len(self.hit), dtype=bool), *every, *(one & self.hit for one in every)]

    def judge(self, counts: Longs, whole: Longs) -> SliceVerdicts:
        """Judge slices by how much wider their gap is than the same one in the other rows."""
        groups = self.n_groups
        n, hits = counts[:, 1 : groups + 1].astype(np.float64), counts[:, groups + 1 :].astype(np.float64)
        n_out, hits_out = whole[1 : groups + 1] - n, whole[groups + 1 :] - hits
        usable = n >= FEW_OF_GROUP
        rate = np.divide(hits, n, out=np.full(n.shape, np.nan), where=usable)
        compared = usable.sum(axis=1) >= 2
        top = np.where(usable, rate, -np.inf).argmax(axis=1)
        bottom = np.where(usable, rate, np.inf).argmin(axis=1)
        row = np.arange(len(n))

        def of(values: Floats, which: Positions) -> Floats:
            return values[row, which]

        with np.errstate(divide="ignore", invalid="ignore"):
            inside = of(rate, top) - of(rate, bottom)
            outside = of(hits_out, top) / of(n_out, top) - of(hits_out, bottom) / of(n_out, bottom)
            pooled = (of(hits, top) + of(hits, bottom)) / (of(n, top) + of(n, bottom))
            each = 1.0 / of(n, top) + 1.0 / of(n, bottom)
            equal = pooled * (1.0 - pooled) * each
            error = np.sqrt(equal + sum(_variance(of(hits_out, one), of(n_out, one)) for one in (top, bottom)))
            z = (inside - np.abs(outside) - each / 2.0) / error
            pairs = usable.sum(axis=1) * (usable.sum(axis=1) - 1)
            p = np.minimum(ndtr(-z) * pairs, 1.0)
            spread = np.sqrt(sum(_variance(of(hits, one), of(n, one)) for one in (top, bottom)))
        half = normal_quantile(_LEVEL) * spread
        none = ~compared | (top == bottom)
        value, low, high = (
            np.where(none, np.nan, one) for one in (inside, inside - half, np.minimum(inside + half, 1.0))
        )
        alone = none | (np.minimum(of(n_out, top), of(n_out, bottom)) < FEW_OF_GROUP)
        rest, p = (np.where(alone, np.nan, one) for one in (outside, p))
        return SliceVerdicts(value, low, high, rest, p, low - np.abs(rest), np.column_stack([bottom, top]))


def _variance(hits: Floats, n: Floats) -> Floats:
    """Return the variance of a share, none of which is 0."""
    share = (hits + 0.5) / (n + 1.0)
    return np.asarray(share * (1.0 - share) / n)


def upper_tail(hits: Longs, n: Longs, all_hits: int, total: int) -> Floats:
    """Return the chance of at least so many hits among n rows drawn from all.

    It is 1 where there are no more than expected.

    Hypergeometric, summed term by term from the observed number on.

    Examples
    --------
    >>> upper_tail(np.array([3, 1]), np.array([3, 4]), 4, 10).round(4).tolist()
    [0.0333, 1.0]
    """
    p = np.ones(len(n))
    more = np.flatnonzero(hits * total > n * all_hits)
    k, m = hits[more].astype(np.float64), n[more].astype(np.float64)
    big, other = float(all_hits), float(total - all_hits)

    def ways(of: Floats, some: Floats) -> Floats:
        return np.asarray(gammaln(of + 1) - gammaln(some + 1) - gammaln(of - some + 1))

    term = np.exp(
        ways(np.full(len(k), big), k) + ways(np.full(len(k), other), m - k) - ways(np.full(len(k), big + other), m)
    )
    found, going = term.copy(), np.arange(len(k))
    while len(going):
        ratio = (big - k[going]) * (m[going] - k[going]) / ((k[going] + 1) * (other - m[going] + k[going] + 1))
        term[going] *= ratio
        found[going] += term[going]
        k[going] += 1
        going = going[(term[going] > 1e-12 * found[going]) & (term[going] > 0.0)]
    p[more] = np.minimum(found, 1.0)
    return p
