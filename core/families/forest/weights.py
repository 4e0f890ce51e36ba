"""How much every row weighs in every tree of a fitted scikit-learn tree or forest.

The model itself tells.
"""

from __future__ import annotations

from collections.abc import Callable
from numbers import Integral
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.ensemble._forest import ForestClassifier, _generate_sample_indices
from sklearn.utils import compute_class_weight, compute_sample_weight

from core.errors import NotSupportedError
from core.typing import Floats

WeightsOf = Callable[[int], Floats]
"""Gives the weights of all rows in tree number so and so; 0 for rows that the tree does not know."""


class OtherRowsError(Exception):
    """The model itself says that it was fitted on other rows; the message says how."""


def weights_of_trees(estimator: Any, codes: npt.NDArray[Any], sample_weight: Floats | None) -> WeightsOf:
    """Return what gives the weights of rows, one tree at a time.

    A bootstrap is drawn again from the tree's seed.

    Parameters
    ----------
    estimator : DecisionTreeClassifier or forest
        Fitted.
    codes : ndarray of int, shape (n_rows,)
        Classes of the rows.
    sample_weight : ndarray, shape (n_rows,), optional
        The weights that the table gives.

    Raises
    ------
    OtherRowsError
        If the forest stores another number of rows, or other weights.
    NotSupportedError
        If the bootstrap cannot be drawn again.
    """
    forest = isinstance(estimator, ForestClassifier)
    weight = _combined(estimator, codes, sample_weight)
    if not forest:
        return lambda _: _numbers(weight, len(codes))
    _check_stored(estimator, weight, len(codes))
    if not estimator.bootstrap:
        return lambda _: _numbers(weight, len(codes))
    if getattr(estimator, "_n_samples_bootstrap", None) is None:
        raise NotSupportedError(
            "the forest does not hold what its bootstrap was drawn from, as when it has forgotten records and was saved alone"
        )
    if not all(isinstance(tree.random_state, Integral) for tree in estimator.estimators_):
        raise NotSupportedError("the seeds of the trees are not whole numbers, so that no bootstrap can be drawn again")
    return lambda index: _bootstrap(estimator, index, codes, weight)


def _numbers(weight: Floats | None, n: int) -> Floats:
    return np.ones(n) if weight is None else weight


def _combined(estimator: Any, codes: npt.NDArray[Any], sample_weight: Floats | None) -> Floats | None:
    """Return the weights that the rows were given before any bootstrap.

    Sample weight times class weight.
    """
    chosen = estimator.class_weight
    forest = isinstance(estimator, ForestClassifier)
    if chosen is None or (chosen == "balanced_subsample" and estimator.bootstrap):
        return sample_weight
    labels = estimator.classes_[codes]
    if forest and isinstance(chosen, str):
        by_class = compute_class_weight("balanced", classes=estimator.classes_, y=labels, sample_weight=sample_weight)
        chosen = dict(zip(estimator.classes_, by_class, strict=True))
    weight: Floats = compute_sample_weight(chosen, labels)
    return weight if sample_weight is None else weight * sample_weight


def _check_stored(forest: Any, weight: Floats | None, n: int) -> None:
    stored_n = getattr(forest, "_n_samples", n)
    if stored_n != n:
        raise OtherRowsError(f"the forest was fitted on {stored_n:,} rows, and these are {n:,}")
    if "_sample_weight" not in vars(forest):
        return
    stored = _numbers(forest._sample_weight, n)
    if len(stored) != n:
        raise OtherRowsError(f"the forest stores weights of {len(stored):,} rows, and these are {n:,}")
    apart = ~np.isclose(stored, _numbers(weight, n), rtol=1e-9, atol=0.0)
    if apart.any():
        row = int(np.flatnonzero(apart)[0])
        raise OtherRowsError(
            f"the forest was fitted with weight {stored[row]:.6g} where row {row} has {_numbers(weight, n)[row]:.6g}: labels, weights or the "
            "order of rows are others"
        )


def _bootstrap(forest: Any, index: int, codes: npt.NDArray[Any], weight: Floats | None) -> Floats:
    """Return the weights of rows in one tree of a forest fitted with a bootstrap."""
    drawn_by_weight = "_sample_weight" in vars(forest)
    indices = _generate_sample_indices(
        forest.estimators_[index].random_state,
        len(codes),
        forest._n_samples_bootstrap,
        weight if drawn_by_weight else None,
    )
    counts: Floats = np.bincount(indices, minlength=len(codes)).astype(np.float64)
    if not drawn_by_weight and weight is not None:
        # Forests of scikit-learn before 1.9 draw rows evenly and then multiply by their weights.
        counts *= weight
    if forest.class_weight == "balanced_subsample":
        counts *= compute_sample_weight("balanced", codes, indices=indices)
    return counts
