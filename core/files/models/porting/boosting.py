"""Boosted trees of earlier releases.

Losses are made again by name, and nodes get the columns they have today.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.ensemble._hist_gradient_boosting.common import PREDICTOR_RECORD_DTYPE
from sklearn.preprocessing import LabelEncoder

from core.files.models.building.special import malformed, node_records
from core.files.models.porting.names import rename_estimator, rename_max_features

_HIST_LOSSES = {"auto": "log_loss", "binary_crossentropy": "log_loss", "categorical_crossentropy": "log_loss"}


def _classic(made: Any, held: dict[str, Any], _: int) -> tuple[str, ...]:
    rename_max_features(held)
    if held.get("loss") == "deviance":
        made.loss = "log_loss"
    held.pop("loss_", None)
    held.pop("_n_classes", None)
    if "estimators_" in held:
        made.n_classes_ = len(made.classes_)
        held.setdefault("n_trees_per_iteration_", 1 if made.n_classes_ == 2 else made.n_classes_)
        if made.loss not in ("log_loss", "exponential"):
            raise malformed("gradient boosting has a loss that there is not")
        made._loss = made._get_loss(sample_weight=None)
    return ()


def _histograms(made: Any, held: dict[str, Any], release: int) -> tuple[str, ...]:
    if held.get("categorical_features") == "warn":
        made.categorical_features = None
    made.loss = _HIST_LOSSES.get(made.loss, made.loss)
    if "_predictors" not in held:
        return ()
    made._loss = made._get_loss(sample_weight=None)
    # One row of starting scores, a column for each class that has trees.
    made._baseline_prediction = np.asarray(made._baseline_prediction, dtype=np.float64).reshape(1, -1)
    if release < 4:
        made._preprocessor, made._is_categorical_remapped = None, made.is_categorical_
        made._feature_subsample_rng = np.random.default_rng(0)
    if "_label_encoder" not in held:
        made._label_encoder = LabelEncoder().fit(made.classes_)
    return ()


def _predictor(made: Any, _: dict[str, Any], __: int) -> tuple[str, ...]:
    if not isinstance(made.nodes, np.ndarray) or made.nodes.ndim != 1 or not len(made.nodes):
        raise malformed("a tree has no table of nodes")
    if made.nodes.dtype != PREDICTOR_RECORD_DTYPE:
        made.nodes = node_records(made.nodes, PREDICTOR_RECORD_DTYPE)
    return ()


def _adaptive(_: Any, held: dict[str, Any], __: int) -> tuple[str, ...]:
    held.pop("algorithm", None)
    rename_estimator(held)
    return ()


RULES = {
    "GradientBoostingClassifier": _classic,
    "HistGradientBoostingClassifier": _histograms,
    "TreePredictor": _predictor,
    "AdaBoostClassifier": _adaptive,
}
