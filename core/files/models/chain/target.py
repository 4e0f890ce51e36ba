"""A label encoder of the outcome, which gives the model its labels back."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import AdaBoostClassifier, VotingClassifier
from sklearn.pipeline import Pipeline

from core.typing import Array


def codes(model: Any) -> int:
    """Return how many classes a model tells apart if they are 0, 1, 2 and so on; otherwise 0."""
    classes = np.asarray(getattr(model, "classes_", ()))
    if classes.dtype.kind not in "biuf" or not np.array_equal(classes, np.arange(len(classes))):
        return 0
    return len(classes)


def decodes(labels: Array, model: Any) -> bool:
    """Tell whether labels can stand for the classes of a model, which are 0, 1 and so on."""
    labels = np.asarray(labels)
    if labels.ndim != 1 or len(labels) != codes(model) or len(labels) < 2 or labels.dtype.kind not in "OUbiuf":
        return False
    try:
        in_order = bool(np.array_equal(labels, np.unique(labels)))
    except TypeError:  # words among numbers
        return False
    return in_order and not codes_are(labels)


def codes_are(labels: Array) -> bool:
    """Tell whether labels are 0, 1, 2 and so on themselves."""
    return bool(np.array_equal(labels, np.arange(len(labels))))


def relabel(model: Any, labels: Array) -> None:
    """Give a fitted classifier its labels as they were before they were encoded, in place.

    Its scores stay; what it predicts is label number c where it was c. Classifiers inside it are told, too, where they were fitted on the same labels.

    Parameters
    ----------
    model : object
        Fitted on 0, 1, 2 and so on.
    labels : array
        One for each class, sorted.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> model = LogisticRegression().fit([[0.0], [1.0]], [0, 1])
    >>> relabel(model, np.array(["granted", "refused"]))
    >>> model.predict([[2.0]]).tolist()
    ['refused']
    """
    labels = np.asarray(labels)
    if labels.dtype.kind in "US":
        labels = labels.astype(object)
    if isinstance(model, Pipeline):
        relabel(model.steps[-1][1], labels)
        return
    if isinstance(model, AdaBoostClassifier):
        for one in model.estimators_:
            relabel(one, labels)
    if isinstance(model, CalibratedClassifierCV):
        for calibrated in model.calibrated_classifiers_:
            relabel(calibrated.estimator, labels)
            calibrated.classes = labels
    if isinstance(model, VotingClassifier):
        model.le_.classes_ = labels  # what votes was fitted on the places of labels, which stay
    _rename(model, labels)
    for name in ("class_weight", "constant"):
        _rename_parameter(model, name, labels)


def _rename(model: Any, labels: Array) -> None:
    if "classes_" in vars(model):
        model.classes_ = labels
    binarizer = vars(model).get("_label_binarizer")
    if binarizer is not None:
        binarizer.classes_ = labels


def _rename_parameter(model: Any, name: str, labels: Array) -> None:
    value = getattr(model, name, None)
    if isinstance(value, dict):
        setattr(model, name, {labels[int(key)]: one for key, one in value.items()})
    elif name == "constant" and isinstance(value, int | np.integer):
        setattr(model, name, labels[int(value)])
