"""Effects of groups measured in some of a forest's trees.

How well they can be expected to tell those in all trees is estimated with them.

Each group is really removed from the first m of T trees. The unseen trees change as the seen ones do, give or take a draw: forests
are imagined whose mean change is the sample's plus a normal draw with the sample's covariance, ``(1/m - 1/T)`` times that of trees
(multiplier bootstrap with the correction for finite populations). The metric at each is one possible effect; their mean over draws is
the measured effect r, their variance v what is still open. All groups share the draws, as they share the trees.

Of the true effects R then ``E (r - R)^2 = v``, and sampling theory has ``cov(r, R) = var(r) - v``. The effect k predicted with the
splits kept knows nothing of the draws: ``cov(k, R) = cov(k, r)``. The best linear prediction p of R from r and k follows; no weight is set by
hand. The level is another matter: scatter alone moves a gap, by as much in all groups, the more the fewer trees. The mean over the groups is
therefore r's by m of T parts and k's by the others. Where every tree was seen, v = 0: r is the effect, and k has no weight. How p
correlates with R depends on how far R is spread, which may be less than r, for its noise, or more, for the decisions that imagined
forests share among them: it is taken to be as spread, so that ``cov(r, R) = var(r) - v / 2``.

References
----------
Cochran, W. G. (1977). Sampling techniques, chapters 2 and 7. Wiley.
van der Vaart, A. W. and Wellner, J. A. (1996). Weak convergence and empirical processes, section 2.9. Springer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from core.typing import Floats

FEWEST_GROUPS = 10
"""Among fewer groups no spread between groups is told from chance: the sample is taken as it is, and nothing is said of correlation."""


@dataclass(frozen=True, eq=False, repr=False)
class Measured:
    """Changes of a metric without groups of records, and how far they are to be trusted.

    Parameters
    ----------
    changes : ndarray of float, shape (n_groups,)
        Signed; NaN for a group that cannot go, or without which the metric is undefined.
    correlation : float
        Expected correlation, over the groups that are not `trained_again`, with the changes that really removing them makes; 1 where
        they were removed from every tree, NaN where it cannot be told, as for fewer than ten groups. Where groups overlap much, it is rough.
    n_trees, of_trees : int
        From how many trees each group was really removed, and how many there are; 0 for models that are no forests. Where the time was
        over before the 20th tree, or every group is `trained_again`, `n_trees` is 0 and the changes are those predicted with every split kept.
    trained_again : ndarray of bool, shape (n_groups,)
        Groups without which the preprocessing gives columns that it did not give with them, or draws at random without a seed: `unlearn`
        then trains the forest again, with other draws. Their changes are the predicted ones, and `correlation` says nothing of them.
    """

    changes: Floats
    correlation: float
    n_trees: int
    of_trees: int
    trained_again: npt.NDArray[np.bool_]

    def __repr__(self) -> str:
        again, n_groups = int(self.trained_again.sum()), len(self.changes)
        parts = [f"{n_groups:,} groups"]
        if self.n_trees:
            told = "cannot be told" if np.isnan(self.correlation) else f"expected to be {self.correlation:.2f}"
            parts.append(
                f"{n_groups - again:,} removed from {self.n_trees} of {self.of_trees} trees, correlation with removal {told}"
            )
        elif again < n_groups:
            parts.append(f"{n_groups - again:,} predicted")
        if again:
            parts.append(
                f"{again:,} predicted only, as without them the preprocessing gives new columns, or draws without a seed, and the forest is trained again"
            )
        return f"Measured({'; '.join(parts)})"


class Mixture(NamedTuple):
    """Effects predicted from a sample and from what was known before.

    With the expected correlation with the true ones.
    """

    effects: Floats
    correlation: float


def mixture(draws: Floats, known: Floats, share: float) -> Mixture:
    """Return the best linear prediction of the effects in all trees.

    Parameters
    ----------
    draws : ndarray, shape (n_groups, n_draws)
        Possible effects.
    known : ndarray, shape (n_groups,)
        Effects predicted without the sample.
    share : float
        Of the trees that were seen.
    """
    effects = draws.mean(axis=1)
    level = share * effects.mean() + (1.0 - share) * known.mean() if len(effects) else 0.0
    if len(effects) < FEWEST_GROUPS:
        return Mixture(level + effects - effects.mean() if len(effects) else effects, float("nan"))
    errors = draws - effects[:, None]
    still_open = float((errors - errors.mean(axis=0)).var(axis=0).sum() / (draws.shape[1] - 1))
    own, other = effects - effects.mean(), known - known.mean()
    spread, common = float(own @ own) / len(own), float(own @ other) / len(own)
    if spread == 0.0:
        return Mixture(np.full(len(effects), level), float("nan"))
    by_sample, by_known = _weights(spread, common, float(other @ other) / len(own), still_open)
    found = by_sample * own + by_known * other
    with_truth = by_sample * (spread - still_open / 2.0) + by_known * common
    length = np.sqrt(float(found @ found) / len(found) * spread)
    return Mixture(level + found, min(with_truth / length, 1.0) if length > 0.0 else 0.0)


def _weights(spread: float, common: float, spread_known: float, still_open: float) -> tuple[float, float]:
    """Return the weights of both effects, neither of them negative."""
    with_truth = max(spread - still_open, 0.0)
    determinant = spread * spread_known - common**2
    if determinant > 1e-9 * spread * spread_known:
        by_sample = (with_truth * spread_known - common**2) / determinant
        by_known = common * (spread - with_truth) / determinant
        if by_sample >= 0.0 and by_known >= 0.0:
            return by_sample, by_known
    alone = max(spread - still_open / 2.0, 0.0) / spread, common / spread_known if spread_known > 0.0 else 0.0
    return (0.0, alone[1]) if alone[1] > 0.0 and alone[1] * common >= with_truth**2 / spread else (alone[0], 0.0)
