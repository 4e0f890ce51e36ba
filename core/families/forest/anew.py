"""Forests whose preprocessing is another one without some records.

Built anew, from the randomness they were first built with.

A scale that is fitted again gives every row other values; a category that has no record left takes its column with it. Draws and
multiplicities do not depend on values, so the trees are built on the new ones with the same. Of a vanished column no draw is left:
a random order of features, one left out, is a random order of the others, and where too few have been drawn at a path, those
that follow are keyed by it as ever.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.pipeline import Pipeline
from sklearn.tree._tree import Tree

from core.case.case import Case
from core.errors import InputError, NotSupportedError, said
from core.families.forest.coding import recoded
from core.families.forest.parts import estimator_of, features_drawn, rules_of
from core.families.forest.state import ForestState, Grove
from core.families.forest.table import tree_input
from core.numerics.trees.arrays import Draws
from core.typing import Bools, Positions, Singles
from core.unlearning.base import model_input
from core.unlearning.preprocessing.branches import names_given
from core.unlearning.preprocessing.unchanged import lacks_seed


@dataclass(frozen=True, eq=False)
class RefittedPreprocessing:
    """The preprocessing fitted to the retained rows alone, and in what it differs.

    Parameters
    ----------
    steps : Pipeline or None
        None where only what it gives was asked for.
    rows : ndarray of bool, shape (n_train,)
        The retained rows.
    columns : ndarray of int, shape (n_columns,)
        Which of the columns before each of its columns is.
    changed : ndarray of int
        Those in which a retained row has another value.
    values : ndarray of float32, shape (n_retained, n_changed)
        What they have there now.
    n_before : int
        How many columns there were.
    """

    steps: Pipeline | None
    rows: Bools
    columns: Positions
    changed: Positions
    values: Singles
    n_before: int

    @property
    def same_columns(self) -> bool:
        """Return whether trees get the columns that they got before."""
        return np.array_equal(self.columns, np.arange(self.n_before))

    @property
    def differs(self) -> bool:
        """Return whether trees get anything else than before."""
        return len(self.changed) > 0 or not self.same_columns

    @property
    def note(self) -> str:
        """Say how another preprocessing was dealt with."""
        gone = self.n_before - len(self.columns)
        other = ["other values"] if len(self.changed) else []
        fewer = [f"{gone} column{'s' if gone > 1 else ''} fewer"] if gone else []
        return (
            f"The preprocessing, fitted again, gives the trees {' and '.join(other + fewer) or 'its columns in another order'}; "
            "each was built again from its recorded randomness."
        )


def refitted(case: Case, grove: Grove, retained: Bools) -> RefittedPreprocessing | None:
    """Return the preprocessing fitted to the retained rows; None where there is none.

    Costs that fit, and its application to these rows.

    Raises
    ------
    InputError
        If it cannot be fitted to them.
    NotSupportedError
        If it gives columns that it did not give before, or draws at random without a seed and so never gives the same.
    """
    if not isinstance(case.model, Pipeline) or len(case.model.steps) == 1:
        return None
    rows = np.flatnonzero(retained)

    def fitted() -> Pipeline:
        return clone(case.model[:-1]).fit(model_input(case, rows), case.train_labels[rows])

    try:
        steps = fitted()
    except ValueError as error:
        raise InputError(
            f"The preprocessing must be able to fit the {len(rows)} retained records. It says: {said(error)}."
        ) from error
    after = tree_input(case, rows, steps)
    if lacks_seed(steps) and not np.array_equal(after, tree_input(case, rows, fitted()), equal_nan=True):
        raise NotSupportedError(
            "the preprocessing draws at random without a seed, so that it is another one each time it is fitted; set its random_state"
        )
    columns = _columns(case.model[:-1], steps, grove.X.shape[1], after.shape[1])
    before = grove.X[grove.local[rows]][:, columns]
    changed = np.flatnonzero(~((before == after) | (np.isnan(before) & np.isnan(after))).all(axis=0))
    return RefittedPreprocessing(steps, retained, columns, changed, after[:, changed], grove.X.shape[1])


def built_anew(state: ForestState, model: Any, new: RefittedPreprocessing) -> tuple[ForestState, Any]:
    """Return the trees built from scratch on another preprocessing, and the model of them.

    They keep their own recorded randomness.

    Costs about half of what scikit-learn takes to fit the forest.

    Raises
    ------
    NotSupportedError
        If a tree would be left without rows.
    """
    other = model_for_columns(model, new.columns)
    built = on_columns(state, new).under(rules_of(estimator_of(other), int(new.rows.sum()))).from_scratch(new.rows)
    return built, built.assemble(other, new.steps)


def on_columns(state: ForestState, new: RefittedPreprocessing) -> ForestState:
    """Return the state whose trees are those of another preprocessing.

    They are built from scratch on the retained rows.

    Where no value changed, any rows that leave it the same columns may be retained.
    """
    grove = state.grove
    known, X = new.rows[grove.rows], grove.X[:, new.columns]
    if len(new.changed):
        X[np.ix_(known, new.changed)] = new.values
    drawn = features_drawn(state.trees[0].estimator.max_features, len(new.columns))
    table = recoded(grove.table, new.columns, new.changed, new.values, known)
    trees = tuple(
        replace(
            tree,
            estimator=_for_columns(tree.estimator, new.columns),
            roots=replace(tree.roots, draws=draws_among(new.columns, new.n_before, tree.roots.draws)),
        )
        for tree in state.trees
    )
    rules = grove.rules._replace(max_features=drawn)
    return replace(state, grove=Grove(grove.rows, grove.local, X, table, rules, grove.bootstrap), trees=trees)


def draws_among(columns: Positions, n_before: int, draws: Draws) -> Draws:
    """Return the draws of some of the features, numbered as those stand in `columns`."""
    if np.array_equal(columns, np.arange(n_before)):
        return draws
    number = np.full(n_before, -1, dtype=np.int32)
    number[columns] = np.arange(len(columns))
    features = number[draws.features]
    left = features >= 0
    first = np.append(0, np.cumsum(left)).astype(np.int32)[draws.first]
    fractions = draws.fractions[left] if len(draws.fractions) else draws.fractions
    return draws._replace(first=first, features=features[left], fractions=fractions)


def model_for_columns(model: Any, columns: Positions) -> Any:
    """Return a pipeline whose last step says that it takes these of its columns alone."""
    other, last = copy(model), _for_columns(estimator_of(model), columns)
    if hasattr(last, "estimators_"):
        last.estimators_ = [_for_columns(tree, columns) for tree in last.estimators_]
    other.steps = [*model.steps[:-1], (model.steps[-1][0], last)]
    return other


def _for_columns(estimator: Any, columns: Positions) -> Any:
    other = object.__new__(type(estimator))
    vars(other).update(vars(estimator), n_features_in_=len(columns))
    if hasattr(estimator, "feature_names_in_"):
        other.feature_names_in_ = estimator.feature_names_in_[columns]
    if hasattr(estimator, "tree_"):
        other.max_features_ = features_drawn(estimator.max_features, len(columns))
        other.tree_ = Tree(len(columns), np.array([estimator.tree_.max_n_classes], dtype=np.intp), 1)
    return other


def _columns(before: Pipeline, after: Pipeline, n_before: int, n_after: int) -> Positions:
    """Return which of the columns before each of those afterwards is, by their names.

    Where they have none, by their place.
    """
    old, new = _names(before, n_before), _names(after, n_after)
    if old is None or new is None:
        if n_before == n_after:
            return np.arange(n_after)
        raise NotSupportedError(
            f"the preprocessing gives {n_after} columns without these records and gave {n_before} with them, and does not name them"
        )
    place = {name: index for index, name in enumerate(old)}
    unknown = [name for name in new if name not in place]
    if unknown:
        raise NotSupportedError(
            f"without these records the preprocessing gives a column {unknown[0]!r} that it did not give with them"
        )
    return np.array([place[name] for name in new], dtype=np.intp)


def _names(steps: Pipeline, count: int) -> list[str] | None:
    """Return the names of what a fitted preprocessing gives.

    None where it does not tell them apart.
    """
    names = names_given(steps)
    return names if names is not None and len(names) == len(set(names)) == count else None
