"""Neighbours, calibration and discriminants of earlier releases.

Search trees and interpolations are made again rather than read.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.neighbors import BallTree, KDTree

from core.files.models.building.special import malformed
from core.files.models.porting.names import rename_estimator

METRICS = ("minkowski", "euclidean", "manhattan", "chebyshev", "cityblock", "l1", "l2")
"""Distances that take two rows of numbers and at most an exponent."""


def _calibrated(_: Any, held: dict[str, Any], __: int) -> tuple[str, ...]:
    rename_estimator(held)
    return ()


def _neighbors(made: Any, held: dict[str, Any], _: int) -> tuple[str, ...]:
    if "_fit_X" not in held:
        return ()
    rows = made._fit_X
    if (
        not isinstance(rows, np.ndarray)
        or rows.ndim != 2
        or rows.dtype.kind not in "biuf"
        or not np.isfinite(rows).all()
    ):
        raise malformed("neighbours hold no table of numbers")
    if made.effective_metric_ not in METRICS or not isinstance(made.weights, str):
        raise malformed("neighbours are looked for by a distance or weights of their own")
    made._tree = None
    if made._fit_method in ("kd_tree", "ball_tree"):
        kind = KDTree if made._fit_method == "kd_tree" else BallTree
        made._tree = kind(rows, made.leaf_size, metric=made.effective_metric_, **made.effective_metric_params_)
    elif made._fit_method != "brute":
        raise malformed("neighbours are looked for in a way that there is not")
    return ()


def _isotonic(made: Any, held: dict[str, Any], _: int) -> tuple[str, ...]:
    held.pop("f_", None)
    if "X_thresholds_" in held:
        x, y = made.X_thresholds_, made.y_thresholds_
        if x.ndim != 1 or x.shape != y.shape or not len(x) or not (np.diff(x) > 0).all():
            raise malformed("isotonic regression has thresholds out of order")
        made._build_f(x, y)
    return ()


def _discriminant(made: Any, held: dict[str, Any], _: int) -> tuple[str, ...]:
    if "_max_components" in held:
        held.setdefault("_n_features_out", made._max_components)
    return ()


RULES = {
    "CalibratedClassifierCV": _calibrated,
    "_CalibratedClassifier": _calibrated,
    "KNeighborsClassifier": _neighbors,
    "IsotonicRegression": _isotonic,
    "LinearDiscriminantAnalysis": _discriminant,
}
