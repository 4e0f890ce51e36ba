"""Intervals for the largest of many contrasts, and for how it changed.

A max-min gap over groups is the largest of all differences between two groups, and its plain bootstrap interval covers far
less than it says: noise alone makes some pair look far apart. With ``theta`` the largest true contrast, these hold with
probability ``level`` whatever the other contrasts are:

- lower end: the largest ``estimate - q se``, q being the quantile of the largest studentised deviation over all contrasts that
  may be the largest, so picking the largest is paid for;
- upper end: the largest ``estimate + z se`` with the plain z, since the estimate for the true largest pair is no more than the
  largest estimate.

Contrasts that are clearly not the largest are first set aside at a tenth of the error in each tail. A change of the largest
contrast is bracketed by changes between contrasts that may be largest before and after.

References
----------
Hsu (1996), Multiple Comparisons, chapter 5. Chernozhukov, Lee & Rosen (2013), Intersection bounds, Econometrica 81(2).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from core.numerics.kernel import compiled
from core.numerics.statistics.counts import BoolArray, FloatArray

IndexArray = NDArray[np.intp]

SET_ASIDE_SHARE = 0.1
MOST_WORK = 2_000_000
FEWEST_DRAWS = 500


@dataclass(frozen=True)
class Contrasts:
    """Signed sums of columns: contrast m sums columns ``plus[m]`` less columns ``minus[m]``.

    -1 stands for zero.
    """

    plus: IndexArray
    minus: IndexArray

    def __len__(self) -> int:
        return len(self.plus)

    def of(self, values: FloatArray) -> FloatArray:
        """Evaluate on a vector of columns."""
        padded = np.append(values, 0.0)
        return np.asarray(padded[self.plus].sum(axis=1) - padded[self.minus].sum(axis=1))

    def take(self, keep: IndexArray | BoolArray) -> Contrasts:
        """Select contrasts."""
        return Contrasts(self.plus[keep], self.minus[keep])

    def between(self, column: int) -> Contrasts:
        """Return the contrasts that have a column on either side."""
        return self.take(((self.plus == column) | (self.minus == column)).any(axis=1))

    def shifted(self, columns: int) -> Contrasts:
        """Return the same contrasts on columns further right."""
        return Contrasts(*(np.where(side < 0, side, side + columns) for side in (self.plus, self.minus)))

    def less(self, other: Contrasts) -> Contrasts:
        """Subtract ``other``, contrast by contrast."""
        return Contrasts(np.hstack([self.plus, other.minus]), np.hstack([self.minus, other.plus]))

    @property
    def signed_pair(self) -> bool:
        """Whether these are one difference and its opposite."""
        return (
            len(self) == 2
            and np.array_equal(self.plus[0], self.minus[1])
            and np.array_equal(self.plus[1], self.minus[0])
        )


def all_pairs(columns: IndexArray) -> Contrasts:
    """Return every ordered difference between two of the columns."""
    first, second = np.nonzero(~np.eye(len(columns), dtype=bool))
    return Contrasts(columns[first][:, np.newaxis], columns[second][:, np.newaxis])


def join(parts: list[Contrasts]) -> Contrasts:
    """Put families of contrasts together."""
    return Contrasts(np.concatenate([p.plus for p in parts]), np.concatenate([p.minus for p in parts]))


@compiled
def _largest(columns: FloatArray, plus: IndexArray, minus: IndexArray, scale: FloatArray) -> FloatArray:
    """Largest scaled contrast of every row, O(rows x contrasts)."""
    result = np.empty(columns.shape[0])
    for row in range(columns.shape[0]):
        best = -np.inf
        for m in range(plus.shape[0]):
            value = 0.0
            for term in range(plus.shape[1]):
                value += columns[row, plus[m, term]] - columns[row, minus[m, term]]
            best = max(best, value * scale[m])
        result[row] = best
    return result


def _maxima(columns: FloatArray, contrasts: Contrasts, spread: FloatArray) -> FloatArray:
    """Largest studentised contrast of every row; those without spread do not count."""
    live = spread > 0.0
    if not live.any():
        return np.zeros(len(columns))
    used = contrasts.take(live)
    return np.asarray(_largest(_padded(columns), used.plus, used.minus, 1.0 / spread[live]))


def _padded(columns: FloatArray) -> FloatArray:
    """Append the zero column that -1 stands for."""
    return np.hstack([columns, np.zeros((len(columns), 1))])


def _spread(deviations: FloatArray, contrasts: Contrasts) -> FloatArray:
    """Root mean square of every contrast over the resamples, from the columns' second moments."""
    padded = _padded(deviations)
    moments = padded.T @ padded / len(padded)
    columns = np.hstack([contrasts.plus, contrasts.minus])
    signs = np.repeat([1.0, -1.0], [contrasts.plus.shape[1], contrasts.minus.shape[1]])
    variance = np.zeros(len(contrasts))
    for one, sign_one in enumerate(signs):
        for two, sign_two in enumerate(signs):
            variance += sign_one * sign_two * moments[columns[:, one], columns[:, two]]
    return np.sqrt(np.maximum(variance, 0.0))


def _critical(deviations: FloatArray, contrasts: Contrasts, spread: FloatArray, tail: float) -> float:
    """Quantile of the largest studentised contrast.

    Beyond MOST_WORK fewer resamples are looked at.
    """
    draws = deviations[: max(MOST_WORK // max(len(contrasts), 1), FEWEST_DRAWS)]
    return float(np.quantile(_maxima(draws, contrasts, spread), 1.0 - tail))


def _may_be_largest(estimates: FloatArray, spread: FloatArray, tail: float) -> BoolArray:
    """Keep the contrasts that cannot be told from the largest (Bonferroni)."""
    z = float(ndtri(1.0 - tail / len(estimates)))
    return np.asarray(estimates + z * spread >= np.max(estimates - z * spread))


def largest_studentised(observed: FloatArray, null: FloatArray, contrasts: Contrasts) -> tuple[float, FloatArray]:
    """Return the largest studentised contrast as observed and in every null draw.

    Errors are those of the draws.

    Dividing by the error keeps a tiny group's noise from drowning a well-measured gap.

    Parameters
    ----------
    observed : float array, shape (K,)
        Columns.
    null : float array, shape (n_resamples, K)
        Columns drawn where all contrasts are zero.
    contrasts : Contrasts
        On the K columns.

    Returns
    -------
    observed : float
    null : float array, shape (n_resamples,)

    Examples
    --------
    >>> import numpy as np
    >>> noise = np.random.default_rng(0).normal(size=(1000, 3)) * [1.0, 1.0, 100.0]
    >>> seen, drawn = largest_studentised(np.array([0.0, 5.0, 0.0]), noise, all_pairs(np.arange(3)))
    >>> bool(np.mean(drawn >= seen) < 0.01)
    True
    """
    spread = _spread(null - null.mean(axis=0), contrasts)
    certain = spread == 0.0
    estimates = contrasts.of(observed)
    if np.any(estimates[certain] > 0.0):
        return np.inf, np.zeros(len(null))
    largest = np.max(estimates[~certain] / spread[~certain], initial=0.0)
    drawn = _maxima(null, contrasts, spread)
    return float(largest), np.maximum(drawn, 0.0)


def largest_interval(
    values: FloatArray, deviations: FloatArray, contrasts: Contrasts, level: float
) -> tuple[float, float]:
    """Bracket the largest of many contrasts, O(resamples x contrasts).

    One difference and its opposite (two groups) get the interval of the signed difference, turned so that the estimate is
    not negative: its lower end may be below 0.

    Parameters
    ----------
    values : float array, shape (K,)
        Estimated columns (group rates).
    deviations : float array, shape (n_resamples, K)
        Resampled columns less their centre.
    contrasts : Contrasts
        On the K columns.
    level : float
        Coverage, e.g. 0.95.

    Returns
    -------
    low, high : float

    Examples
    --------
    Six equal groups with standard error 0.03: one looks 0.09 better than another, and the interval says that means nothing.

    >>> import numpy as np
    >>> noise = 0.03 * np.random.default_rng(0).normal(size=(4000, 6))
    >>> rates = np.array([0.50, 0.52, 0.55, 0.53, 0.46, 0.51])
    >>> low, high = largest_interval(rates, noise, all_pairs(np.arange(6)), level=0.95)
    >>> low <= 0.0, 0.09 < high < 0.18
    (True, True)
    """
    estimates = contrasts.of(values)
    tail = (1.0 - level) / 2.0
    if contrasts.signed_pair:
        return _symmetric(values, deviations, contrasts.take(np.array([estimates.argmax()])), tail)
    spread = _spread(deviations, contrasts)
    aside = tail * SET_ASIDE_SHARE
    keep = _may_be_largest(estimates, spread, aside)
    q = _critical(deviations, contrasts.take(keep), spread[keep], tail - aside)
    low = np.max(estimates[keep] - q * spread[keep])
    high = np.max(estimates[keep] + ndtri(1.0 - tail + aside) * spread[keep])
    return float(low), float(high)


def largest_change_interval(
    values: FloatArray, deviations: FloatArray, contrasts: Contrasts, level: float
) -> tuple[float, float]:
    """Bracket the change of the largest contrast, measured twice on the same records.

    Parameters
    ----------
    values : float array, shape (2 K,)
        Estimated columns before, then after.
    deviations : float array, shape (n_resamples, 2 K)
        Resampled columns less their centre, paired.
    contrasts : Contrasts
        On the K columns.
    level : float
        Coverage, e.g. 0.95.

    Returns
    -------
    low, high : float
        Of (largest contrast after) - (largest contrast before).

    Notes
    -----
    With a and b the contrasts after and before, the change is ``max_i min_j (a_i - b_j)``. Its upper end takes for every i that
    may be largest after the smaller bound of j = i (small paired error) and j = the largest before; the lower end mirrors it.

    Examples
    --------
    >>> import numpy as np
    >>> noise = 0.02 * np.random.default_rng(0).normal(size=(4000, 3))
    >>> paired = np.hstack([noise, noise + 0.003 * np.random.default_rng(1).normal(size=(4000, 3))])
    >>> rates = np.array([0.70, 0.60, 0.50, 0.66, 0.60, 0.54])
    >>> low, high = largest_change_interval(rates, paired, all_pairs(np.arange(3)), level=0.95)
    >>> print(round(low, 2), round(high, 2))
    -0.09 -0.06
    """
    sides = (contrasts, contrasts.shifted(len(values) // 2))
    estimates = [side.of(values) for side in sides]
    tail = (1.0 - level) / 2.0
    aside = tail * SET_ASIDE_SHARE
    spreads = [_spread(deviations, side) for side in sides]
    kept = [np.flatnonzero(_may_be_largest(e, s, aside)) for e, s in zip(estimates, spreads, strict=True)]
    before, after = sides
    top_before, top_after = (np.full_like(k, e.argmax()) for k, e in zip((kept[1], kept[0]), estimates, strict=True))
    high = _bracket(values, deviations, after, before, kept[1], top_before, tail - aside)
    low = -_bracket(values, deviations, before, after, kept[0], top_after, tail - aside)
    return low, high


def change_interval(
    values: FloatArray, deviations: FloatArray, contrast: Contrasts, level: float
) -> tuple[float, float]:
    """Bracket the change of one contrast, before and after being measured on the same records.

    Parameters
    ----------
    values, deviations, level
        As for `largest_change_interval`.
    contrast : Contrasts
        A single one, on the K columns.

    Returns
    -------
    low, high : float
        Of (contrast after) - (contrast before).

    Examples
    --------
    >>> import numpy as np
    >>> noise = 0.02 * np.random.default_rng(0).normal(size=(4000, 2))
    >>> paired = np.hstack([noise, noise + 0.003 * np.random.default_rng(1).normal(size=(4000, 2))])
    >>> rates = np.array([0.70, 0.50, 0.66, 0.54])
    >>> low, high = change_interval(rates, paired, all_pairs(np.arange(2)).take(np.array([0])), level=0.95)
    >>> print(round(low, 2), round(high, 2))
    -0.09 -0.07
    """
    change = contrast.shifted(len(values) // 2).less(contrast)
    return _symmetric(values, deviations, change, (1.0 - level) / 2.0)


def _symmetric(values: FloatArray, deviations: FloatArray, one: Contrasts, tail: float) -> tuple[float, float]:
    """Return the interval of one contrast, as wide below as above."""
    spread = _spread(deviations, one)
    both = Contrasts(np.vstack([one.plus, one.minus]), np.vstack([one.minus, one.plus]))
    half = _critical(deviations, both, np.repeat(spread, 2), 2.0 * tail) * float(spread[0])
    middle = float(one.of(values)[0])
    return middle - half, middle + half


def _bracket(
    values: FloatArray,
    deviations: FloatArray,
    over: Contrasts,
    under: Contrasts,
    kept: IndexArray,
    top: IndexArray,
    tail: float,
) -> float:
    """Bound ``max(over) - max(under)`` from above."""
    pairs = join([over.take(kept).less(under.take(kept)), over.take(kept).less(under.take(top))])
    spread = _spread(deviations, pairs)
    bounds = pairs.of(values) + _critical(-deviations, pairs, spread, tail) * spread
    return float(np.minimum(bounds[: len(kept)], bounds[len(kept) :]).max())
