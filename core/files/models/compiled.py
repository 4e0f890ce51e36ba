"""Numbers in a rebuilt model that compiled code trusts.

They are places in tables, which it reads and writes without looking.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import (
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.ensemble._hist_gradient_boosting.binning import _BinMapper
from sklearn.ensemble._hist_gradient_boosting.common import PREDICTOR_RECORD_DTYPE
from sklearn.ensemble._hist_gradient_boosting.predictor import TreePredictor
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import OneHotEncoder
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from sklearn.tree._tree import Tree

from core.errors import InputError
from core.files.models.building.special import malformed

_MOST_ROWS = 1 << 31
_MOST_BINS = 256
_ROUNDING = 1e-6


def check_numbers(part: Any) -> None:
    """Check one part of a model.

    Raises
    ------
    InputError
        If a number stands for a place outside its table.
    """
    _check_classes(part)
    _check_trees_elsewhere(part)
    for kinds, check in _CHECKS:
        if isinstance(part, kinds):
            check(part)


def _check_classes(part: Any) -> None:
    classes = vars(part).get("classes_")
    if classes is None:
        return
    plain = isinstance(classes, np.ndarray) and classes.ndim == 1 and 1 <= len(classes) <= 1 << 20
    if not plain and not isinstance(classes, list | tuple):
        raise malformed(f"the classes of {type(part).__name__} are not one row of labels")
    if not plain and any(isinstance(one, np.ndarray | list | tuple) for one in classes):
        raise malformed(f"{type(part).__name__} predicts more than one label")


def _check_trees_elsewhere(part: Any) -> None:
    for name, value in vars(part).items():
        if isinstance(value, Tree) and not (
            name == "tree_" and isinstance(part, DecisionTreeClassifier | DecisionTreeRegressor)
        ):
            raise malformed(f"a table of tree nodes stands as {name} of {type(part).__name__}")


def _check_tree(owner: Any) -> None:
    if not hasattr(owner, "tree_"):
        return
    tree = owner.tree_
    # The count comes first: reading the nodes trusts it.
    if not isinstance(tree, Tree) or not 1 <= tree.node_count == tree.capacity:
        raise malformed("a tree's number of nodes is not that of its table")
    if tree.n_features != owner.n_features_in_:
        raise malformed("a tree expects another number of columns than its model")
    inner = tree.children_left != -1
    _check_links(tree.children_left[inner], tree.children_right[inner], np.flatnonzero(inner), tree.node_count)
    if not ((tree.feature[inner] >= 0) & (tree.feature[inner] < tree.n_features)).all():
        raise malformed("a tree splits on a column that does not exist")
    values = tree.value
    if not np.isfinite(values).all():
        raise malformed("a tree holds values that are no numbers")
    if isinstance(owner, DecisionTreeClassifier):
        if owner.n_outputs_ != 1 or not values.shape[2] == len(owner.classes_) == owner.n_classes_:
            raise malformed("a tree holds shares of another number of classes than its model")
        shares = (values >= -_ROUNDING).all() and np.allclose(values.sum(axis=2), 1.0, rtol=0.0, atol=_ROUNDING)
        if not shares:
            raise malformed("a tree holds shares of classes that do not add up to 1")


def _check_links(left: Any, right: Any, parents: Any, n_nodes: int) -> None:
    for children in (left.astype(np.int64), right.astype(np.int64)):
        # Children come after their parent, so that following them ends.
        if not ((children > parents) & (children < n_nodes)).all():
            raise malformed("a tree points outside itself")


def _check_forest(forest: Any) -> None:
    for tree in getattr(forest, "estimators_", ()):
        if not isinstance(tree, DecisionTreeClassifier) or tree.n_features_in_ != forest.n_features_in_:
            raise malformed("a tree of the forest expects another number of columns than the forest")
        if not isinstance(forest.classes_, np.ndarray) or tree.n_classes_ != len(forest.classes_):
            raise malformed("a tree of the forest tells another number of classes apart than the forest")
    for name in ("_n_samples", "_n_samples_bootstrap"):
        held = getattr(forest, name, None)
        if held is not None and not (isinstance(held, int | np.integer) and 0 < held < _MOST_ROWS):
            raise malformed("a forest was drawn from an impossible number of rows")


def _check_classic_boosting(model: Any) -> None:
    stages = getattr(model, "estimators_", None)
    if stages is None:
        return
    # Compiled code adds column k of the stages to column k of the scores without looking.
    columns = 1 if len(model.classes_) == 2 else len(model.classes_)
    if not isinstance(stages, np.ndarray) or stages.ndim != 2 or 0 in stages.shape or stages.shape[1] != columns:
        raise malformed("gradient boosting has another number of trees than its classes take")
    if model.n_trees_per_iteration_ != columns or bool(model._loss.is_multiclass) != (columns > 1):
        raise malformed("gradient boosting adds up scores for another number of classes")
    _check_start(model, max(columns, 2))
    for one in stages.ravel():
        if not isinstance(one, DecisionTreeRegressor) or one.n_features_in_ != model.n_features_in_:
            raise malformed("a tree of gradient boosting expects another number of columns than the model")
        if one.tree_.value.shape[1:] != (1, 1):
            raise malformed("a tree of gradient boosting holds more than one value a node")


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
        raise malformed("gradient boosting starts from the shares of another number of classes")


def _check_hist_boosting(model: Any) -> None:
    if getattr(model, "_preprocessor", None) is not None or np.any(getattr(model, "is_categorical_", None)):
        raise malformed("gradient boosting treats columns as categories itself")
    if not hasattr(model, "_predictors"):
        return
    columns = 1 if len(model.classes_) == 2 else len(model.classes_)
    start = model._baseline_prediction
    if model.n_trees_per_iteration_ != columns or start.shape != (1, columns) or start.dtype != np.float64:
        raise malformed("gradient boosting adds up scores for another number of classes")
    _check_bins(model._bin_mapper, model.n_features_in_)
    for stage in model._predictors:
        if not isinstance(stage, list) or len(stage) != columns:
            raise malformed("gradient boosting has another number of trees than its classes take")
        for predictor in stage:
            _check_predictor(predictor, model.n_features_in_)


def _check_predictor(predictor: Any, n_features: int) -> None:
    nodes: Any = getattr(predictor, "nodes", None)
    held = isinstance(predictor, TreePredictor) and isinstance(nodes, np.ndarray)
    if not held or nodes.dtype != PREDICTOR_RECORD_DTYPE or nodes.ndim != 1 or len(nodes) == 0:
        raise malformed("a tree has no table of nodes")
    inner = nodes["is_leaf"] == 0
    _check_links(nodes["left"][inner], nodes["right"][inner], np.flatnonzero(inner), len(nodes))
    columns = nodes["feature_idx"][inner]
    if nodes["is_categorical"].any() or not ((columns >= 0) & (columns < n_features)).all():
        raise malformed("a tree splits on a column that does not exist")
    if not np.isfinite(nodes["value"]).all():
        raise malformed("a tree holds values that are no numbers")
    for name in ("raw_left_cat_bitsets", "binned_left_cat_bitsets"):
        sets = getattr(predictor, name)
        if not isinstance(sets, np.ndarray) or sets.dtype != np.uint32 or sets.ndim != 2 or sets.shape[1] != 8:
            raise malformed("a tree's sets of categories have another shape")


def _check_bins(mapper: Any, n_features: int) -> None:
    if not isinstance(mapper, _BinMapper):
        raise malformed("gradient boosting has no table of bins")
    edges, categorical = mapper.bin_thresholds_, mapper.is_categorical_
    if not isinstance(edges, list) or len(edges) != n_features or np.shape(categorical) != (n_features,):
        raise malformed("gradient boosting has bins of another number of columns")
    if np.any(categorical) or categorical.dtype != np.uint8:
        raise malformed("gradient boosting treats columns as categories itself")
    missing, bins = mapper.missing_values_bin_idx_, mapper.n_bins_non_missing_
    if not 0 <= missing < _MOST_BINS or np.shape(bins) != (n_features,) or bins.dtype.kind not in "iu":
        raise malformed("gradient boosting has more bins than there can be")
    for count, one in zip(bins, edges, strict=True):
        plain = isinstance(one, np.ndarray) and one.ndim == 1 and one.dtype == np.float64 and len(one) < _MOST_BINS - 1
        if not plain or not (np.diff(one) >= 0).all() or not 1 <= count <= len(one) + 1:
            raise malformed("gradient boosting has bins out of order")


def _check_one_hot(encoder: Any) -> None:
    if not hasattr(encoder, "categories_"):
        return
    tables, dropped = encoder.categories_, encoder._drop_idx_after_grouping
    if not isinstance(tables, list) or any(not isinstance(one, np.ndarray) or one.ndim != 1 for one in tables):
        raise malformed("an encoder has no list of categories")
    grouped = encoder._infrequent_indices if encoder._infrequent_enabled else [None] * len(tables)
    maps = encoder._default_to_infrequent_mappings if encoder._infrequent_enabled else [None] * len(tables)
    if not len(grouped) == len(maps) == len(tables) == encoder.n_features_in_:
        raise malformed("an encoder has categories of another number of columns")
    for place, (table, group, mapping) in enumerate(zip(tables, grouped, maps, strict=True)):
        n = len(table) if group is None else len(table) - len(group) + 1
        if (group is None) != (mapping is None) or (group is not None and not 1 <= len(group) <= len(table)):
            raise malformed("an encoder groups categories that there are not")
        if mapping is not None and not (mapping.shape == table.shape and ((mapping >= 0) & (mapping < n)).all()):
            raise malformed("an encoder puts categories into columns that there are not")
        drop = None if dropped is None else dropped[place]
        if drop is not None and not (isinstance(drop, int | np.integer) and 0 <= drop < n):
            raise malformed("an encoder leaves out a category that there is not")
    counted = [int(one) for one in encoder._n_features_outs]
    if counted != [int(one) for one in encoder._compute_n_features_outs()]:
        raise malformed("an encoder has another number of columns than its categories make")
    if encoder.feature_name_combiner != "concat":
        raise malformed("an encoder names its columns by a function of its own")


def _check_neighbors(model: Any) -> None:
    if not hasattr(model, "_fit_X"):
        return
    labels, n = model._y, len(model._fit_X)
    if not isinstance(labels, np.ndarray) or labels.shape != (n,) or labels.dtype.kind not in "iu":
        raise malformed("neighbours have no label each")
    if not ((labels >= 0) & (labels < len(model.classes_))).all() or model.outputs_2d_:
        raise malformed("neighbours have labels that there are not")
    if model._fit_X.shape[1] != model.n_features_in_ or model.n_samples_fit_ != n:
        raise malformed("neighbours have another number of columns or rows than their model")
    if type(model.n_neighbors) is not int or not 1 <= model.n_neighbors <= n:
        raise malformed("more neighbours are asked for than there are")


_CHECKS: tuple[tuple[Any, Callable[[Any], None]], ...] = (
    ((DecisionTreeClassifier, DecisionTreeRegressor), _check_tree),
    ((RandomForestClassifier, ExtraTreesClassifier), _check_forest),
    (GradientBoostingClassifier, _check_classic_boosting),
    (HistGradientBoostingClassifier, _check_hist_boosting),
    (OneHotEncoder, _check_one_hot),
    (KNeighborsClassifier, _check_neighbors),
)
