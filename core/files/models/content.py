"""Looking through a rebuilt model before it is used.

Settings that reach files, numbers that compiled code would trust.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from fairlearn.postprocessing import ThresholdOptimizer
from fairlearn.postprocessing._interpolated_thresholder import InterpolatedThresholder
from fairlearn.postprocessing._threshold_operation import ThresholdOperation
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.compose import make_column_selector
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import (
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.ensemble._hist_gradient_boosting.common import PREDICTOR_RECORD_DTYPE
from sklearn.ensemble._hist_gradient_boosting.predictor import TreePredictor
from sklearn.pipeline import Pipeline
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from sklearn.tree._tree import Tree

from core.case.group_thresholds import PREDICT_METHODS
from core.errors import InputError
from core.files.models.allowed import WHOLE_SEED

MAX_JOBS = 64
MT19937_WORDS = 624


def check_content(model: object) -> None:
    """Check every part of a rebuilt model.

    Cost grows with the number of its parts and of its trees' nodes.

    Parameters
    ----------
    model : object
        What skops rebuilt; not yet used for anything.

    Raises
    ------
    InputError
        If a part would read or write files, start too many processes, or hold a tree that points outside itself.
    """
    for part in _parts(model):
        try:
            _check_part(part)
        except (AttributeError, IndexError, KeyError, TypeError) as error:
            raise _damaged(f"a part of {type(part).__name__} is missing") from error


def _parts(model: object) -> Iterator[object]:
    pending, seen = [model], set()
    while pending:
        part = pending.pop()
        if id(part) in seen:
            continue
        seen.add(id(part))
        if isinstance(part, BaseEstimator | TreePredictor | make_column_selector):
            yield part
            pending.extend(vars(part).values())
        elif isinstance(part, dict):
            pending.extend(part.values())
        elif isinstance(part, list | tuple | set) or (isinstance(part, np.ndarray) and part.dtype == object):
            pending.extend(part)


def _check_part(part: Any) -> None:
    _check_settings(part)
    _check_random_states(part)
    if isinstance(part, HistGradientBoostingClassifier):
        _check_boosting(part)
    elif isinstance(part, InterpolatedThresholder | ThresholdOptimizer):
        _check_thresholds(part)
    elif isinstance(part, GradientBoostingClassifier):
        _check_classic_boosting(part)
    elif isinstance(part, RandomForestClassifier | ExtraTreesClassifier):
        for tree in getattr(part, "estimators_", ()):
            if tree.n_features_in_ != part.n_features_in_:
                raise _damaged("a tree of the forest expects another number of columns than the forest")
    elif isinstance(part, DecisionTreeClassifier | DecisionTreeRegressor) and hasattr(part, "tree_"):
        _check_tree(part)


def _check_thresholds(part: Any) -> None:
    """Check what deciding by thresholds of groups calls.

    The estimator's method by its stored name, and each rule's comparison.
    """
    if {part.predict_method, getattr(part, "_predict_method", "auto")} - set(PREDICT_METHODS):
        raise _damaged("a ThresholdOptimizer asks for a method that gives no predictions")
    inner = getattr(part, "interpolated_thresholder_", None)
    if isinstance(part, ThresholdOptimizer) and not (
        isinstance(inner, InterpolatedThresholder) and isinstance(part.estimator_, ClassifierMixin | Pipeline)
    ):
        raise _damaged("a ThresholdOptimizer lacks its thresholds or the classifier that scores")
    rules = part.interpolation_dict if isinstance(part, InterpolatedThresholder) else {}
    for rule in rules.values():
        operations = rule["operation0"], rule["operation1"]
        if not all(isinstance(one, ThresholdOperation) and one.operator in ("<", ">") for one in operations):
            raise _damaged("a group's rule is not a comparison with a threshold")
        shares = rule["p0"], rule["p1"], rule.get("p_ignore", 0.0), rule.get("prediction_constant", 0.0)
        if not all(isinstance(one, float | int) for one in (*shares, *(one.threshold for one in operations))):
            raise _damaged("a group's rule has a threshold or a share that is no number")


def _check_settings(part: Any) -> None:
    if getattr(part, "memory", None) is not None:
        raise InputError(
            "A pipeline must have memory=None, since its cache reads and writes files by a path in the model. "
            f"Got {part.memory!r}; call set_params(memory=None) and save it again."
        )
    jobs = getattr(part, "n_jobs", None)
    if isinstance(jobs, int) and jobs > MAX_JOBS:
        raise InputError(
            f"A model can ask for at most {MAX_JOBS} jobs. Got n_jobs={jobs}; call set_params(n_jobs=None) and save it again."
        )
    if isinstance(part, make_column_selector) and part.pattern is not None:
        raise InputError(
            f"A column selector must choose columns by type. Got the pattern {part.pattern!r}; list the columns and save the model again."
        )


def _check_random_states(part: Any) -> None:
    for name, value in vars(part).items():
        if not isinstance(value, np.random.RandomState):
            continue
        kept = (isinstance(part, GradientBoostingClassifier) and name == "_rng") or (
            isinstance(part, DecisionTreeRegressor) and name == "random_state"
        )
        if not kept:
            raise InputError(
                "A model file may contain only types on the allow-list, and a RandomState only where GradientBoostingClassifier "
                f"keeps its own. Got one as {name} of {type(part).__name__}; {WHOLE_SEED}."
            )
        if not 0 <= value.get_state(legacy=False)["state"]["pos"] <= MT19937_WORDS:
            raise _damaged("a random state stands outside its table")


def _check_classic_boosting(model: Any) -> None:
    stages = getattr(model, "estimators_", None)
    if stages is None:
        return
    # Compiled code adds column k of the stages to column k of the scores without looking.
    columns = 1 if len(model.classes_) == 2 else len(model.classes_)
    if not isinstance(stages, np.ndarray) or stages.ndim != 2 or 0 in stages.shape or stages.shape[1] != columns:
        raise _damaged("gradient boosting has another number of trees than its classes take")
    if model.n_trees_per_iteration_ != columns or bool(model._loss.is_multiclass) != (columns > 1):
        raise _damaged("gradient boosting adds up scores for another number of classes")
    _check_start(model, max(columns, 2))
    for one in stages.ravel():
        if not isinstance(one, DecisionTreeRegressor) or one.n_features_in_ != model.n_features_in_:
            raise _damaged("a tree of gradient boosting expects another number of columns than the model")
        if one.tree_.value.shape[1:] != (1, 1):
            raise _damaged("a tree of gradient boosting holds more than one value a node")


def _check_start(model: Any, n_classes: int) -> None:
    start = model.init_
    if isinstance(start, str) and start == "zero":
        return
    if type(start) is not DummyClassifier:
        raise InputError(
            "GradientBoostingClassifier in a model file must start from the classes' shares (init=None) or from 'zero'. "
            f"Got {type(start).__name__}; fit it again without init and save it."
        )
    if start.n_outputs_ != 1 or start.n_classes_ != n_classes or np.shape(start.class_prior_) != (n_classes,):
        raise _damaged("gradient boosting starts from the shares of another number of classes")


def _check_tree(owner: Any) -> None:
    tree = owner.tree_
    # The count comes first: reading the nodes trusts it.
    if not isinstance(tree, Tree) or not 1 <= tree.node_count == tree.capacity:
        raise _damaged("a tree's number of nodes is not that of its table")
    if tree.n_features != owner.n_features_in_:
        raise _damaged("a tree expects another number of columns than its model")
    inner = tree.children_left != -1
    _check_links(tree.children_left[inner], tree.children_right[inner], np.flatnonzero(inner), tree.node_count)
    if not ((tree.feature[inner] >= 0) & (tree.feature[inner] < tree.n_features)).all():
        raise _damaged("a tree splits on a column that does not exist")


def _check_boosting(model: Any) -> None:
    if getattr(model, "_preprocessor", None) is not None or np.any(getattr(model, "is_categorical_", None)):
        raise _damaged("gradient boosting treats columns as categories itself")
    for predictor in (tree for stage in getattr(model, "_predictors", ()) for tree in stage):
        nodes = getattr(predictor, "nodes", None)
        if (
            not isinstance(nodes, np.ndarray)
            or nodes.dtype != PREDICTOR_RECORD_DTYPE
            or nodes.ndim != 1
            or len(nodes) == 0
        ):
            raise _damaged("a tree has no table of nodes")
        inner = nodes["is_leaf"] == 0
        _check_links(nodes["left"][inner], nodes["right"][inner], np.flatnonzero(inner), len(nodes))
        columns = nodes["feature_idx"][inner]
        if nodes["is_categorical"].any() or not ((columns >= 0) & (columns < model.n_features_in_)).all():
            raise _damaged("a tree splits on a column that does not exist")


def _check_links(left: Any, right: Any, parents: Any, n_nodes: int) -> None:
    for children in (left.astype(np.int64), right.astype(np.int64)):
        # Children come after their parent, so that following them ends.
        if not ((children > parents) & (children < n_nodes)).all():
            raise _damaged("a tree points outside itself")


def _damaged(why: str) -> InputError:
    return InputError(
        f"A model file must hold a model as scikit-learn fitted it. In this one {why}; save the model again."
    )
