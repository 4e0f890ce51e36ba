"""Trees and forests of earlier releases.

Classifiers' nodes held counts to 1.3 and hold shares since 1.4; regression trees, those inside boosting among them, hold what they predict.
Before 1.4 a forest did not store from how many rows it drew; before 1.9 it drew rows evenly and multiplied by their weights, and stored none.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from core.files.models.porting.names import rename_estimator, rename_max_features

FIRST_WITH_SHARES = 4
FIRST_WITH_WEIGHTS = 9


def _tree(made: Any, held: dict[str, Any], release: int) -> tuple[str, ...]:
    rename_max_features(held)
    if release < FIRST_WITH_SHARES and "tree_" in held:
        # A copy: the same table may stand in two models.
        state, (kind, args) = made.tree_.__getstate__(), made.tree_.__reduce__()[:2]
        values = state["values"]
        total = values.sum(axis=2, keepdims=True)
        state["values"] = values / np.where(total == 0.0, 1.0, total)
        made.tree_ = kind(*args)
        made.tree_.__setstate__(state)
    return ()


def _forest(made: Any, held: dict[str, Any], release: int) -> tuple[str, ...]:
    rename_estimator(held)
    rename_max_features(held)
    if not held.get("estimators_") or release >= FIRST_WITH_WEIGHTS:
        return ()
    if "_n_samples" not in held and (n := _rows(made, held)):
        held["_n_samples"] = n
        held["_n_samples_bootstrap"] = int(_root_weights(made)[0]) if made.bootstrap else None
    if _even(made, held):
        # Elsewhere it stays away, which says that the forest multiplied by weights that it does not hold.
        held["_sample_weight"] = None
    return ()


def _root_weights(made: Any) -> list[float]:
    return [float(tree.tree_.weighted_n_node_samples[0]) for tree in made.estimators_]


def _even(made: Any, held: dict[str, Any]) -> bool:
    drawn = held.get("_n_samples_bootstrap") if made.bootstrap else held.get("_n_samples")
    return made.class_weight is None and drawn is not None and all(one == drawn for one in _root_weights(made))


def _rows(made: Any, held: dict[str, Any]) -> int | None:
    """Return from how many rows a forest was drawn, where its trees tell."""
    if not made.bootstrap:
        return int(made.estimators_[0].tree_.n_node_samples[0])
    weights = _root_weights(made)
    if made.class_weight is not None or len(set(weights)) > 1 or not weights[0].is_integer():
        return None
    scores = held.get("oob_decision_function_")
    if isinstance(scores, np.ndarray):
        return len(scores)
    return int(weights[0]) if made.max_samples is None else None


RULES = {
    "DecisionTreeClassifier": _tree,
    "ExtraTreeClassifier": _tree,
    "RandomForestClassifier": _forest,
    "ExtraTreesClassifier": _forest,
}
