"""SHAP values of trees: of a tree, a forest or a boosting model, and of boosting with a tree for each class in every stage."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import GradientBoostingClassifier, HistGradientBoostingClassifier

from core.errors import NotSupportedError
from core.typing import Floats, Progress
from core.unlearning.preprocessing.steps import shallow

RECORDS_AT_ONCE = 4
"""Records explained between two reports of progress; no other thread of the process runs meanwhile."""
NEVER_SEEN = 1e-12
"""Record count given to tree nodes that no record reaches, so that shares of them stay defined."""


def by_trees(trees: Sequence[Any], rows: Floats, report: Progress) -> tuple[Floats, Floats]:
    """Return the values of `shap.TreeExplainer`, following the trees' own record counts, and the base values.

    A forest's are the means of its trees'; they are taken one after the other, and few records of one at a time.

    Parameters
    ----------
    trees : sequence of estimators
        A forest's trees, or one tree or boosting model.
    rows : ndarray, shape (n_rows, n_features)
    report : callable
        Called with the share done and what is being done; may raise to cancel.

    Raises
    ------
    NotSupportedError
        If SHAP does not serve the model.
    """
    values, bases = [], []
    for number, tree in enumerate(trees):
        explainer = _explainer(tree)
        blocks = []
        for start in range(0, len(rows), RECORDS_AT_ONCE):
            doing = f"Tree {number + 1} of {len(trees)}" if len(trees) > 1 else f"Record {start + 1} of {len(rows)}"
            report((number + start / len(rows)) / len(trees), doing)
            some = rows[start : start + RECORDS_AT_ONCE]
            blocks.append(np.asarray(explainer.shap_values(some, check_additivity=False)))
        values.append(np.concatenate(blocks))
        bases.append(np.ravel(explainer.expected_value))
    return np.mean(values, axis=0), np.mean(bases, axis=0)


def _explainer(tree: Any) -> Any:
    from shap import TreeExplainer  # takes seconds to import, and few sessions ask for reasons
    from shap.utils._exceptions import InvalidModelError

    try:
        explainer = TreeExplainer(tree, feature_perturbation="tree_path_dependent")
    except (InvalidModelError, TypeError, NotImplementedError) as error:
        raise NotSupportedError(f"SHAP does not serve this {type(tree).__name__}: {error}") from error
    cover = explainer.model.node_sample_weight
    cover[cover == 0.0] = NEVER_SEEN
    explainer.model.fully_defined_weighting = True
    return explainer


def centred_by_trees(estimator: Any, rows: Floats, explained: int, report: Progress) -> tuple[Floats, float]:
    """Return values and base value of one class's log-probability less the mean of all classes', of more than two, in boosting.

    A class's trees are explained as a model of their own; all classes are, so that what moves them alike counts for nothing.
    """
    hist = isinstance(estimator, HistGradientBoostingClassifier)
    start = np.ravel(estimator._baseline_prediction) if hist else estimator._raw_predict_init(rows[:1])[0]
    one_class = _one_class_hist if hist else _one_class_classic
    weights = (np.arange(len(start)) == explained) - 1.0 / len(start)
    found, base = np.zeros(rows.shape), float(start @ weights)
    for k, weight in enumerate(weights):

        def part(share: float, doing: str, k: int = k) -> None:
            report((k + share) / len(start), f"class {k + 1} of {len(start)}, {doing}")

        values, mean = by_trees([one_class(estimator, k)], rows, part)
        found, base = found + weight * values, base + float(weight * mean[0])
    return found, base


def _one_class_hist(estimator: HistGradientBoostingClassifier, k: int) -> Any:
    """Return a model of two classes with the trees that a boosting model has for one of its classes."""
    other = shallow(estimator)
    other._predictors = [[stage[k]] for stage in estimator._predictors]
    other._baseline_prediction = np.zeros((1, 1))
    return other


def _one_class_classic(estimator: GradientBoostingClassifier, k: int) -> Any:
    """Return a model of two classes with the trees that a boosting model has for one of its classes."""
    other = shallow(estimator)
    other.estimators_ = estimator.estimators_[:, k : k + 1]
    other.init_ = DummyClassifier(strategy="prior")
    other.init_.class_prior_ = np.array([0.5, 0.5])
    return other
