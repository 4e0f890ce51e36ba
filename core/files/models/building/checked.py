"""Building one part of a model file, with every check that stands before its use."""

from __future__ import annotations

from typing import Any

import sklearn
from sklearn.base import is_classifier
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from core.case.group_thresholds import scorer
from core.errors import InputError, InputTypeError
from core.files.models.allowed import CURRENT
from core.files.models.building.build import rebuild
from core.files.models.building.versions import release_of
from core.files.models.content import check_content
from core.files.models.inert import check_shape
from core.files.models.read import read_tree, sklearn_versions
from core.files.models.types import check_types
from core.files.tables.limits import ModelLimits


def open_tree(tree: Any, limits: ModelLimits) -> tuple[Any, tuple[str, ...]]:
    """Build what an inert tree describes, checked before and after.

    Parameters
    ----------
    tree : object
        Inert.
    limits : ModelLimits

    Returns
    -------
    object
        A scikit-learn or fairlearn object.
    tuple of str
        What a user should know, a sentence each.

    Raises
    ------
    InputError, LimitError
        If a type is not on the closed table, a number points outside its table, or a limit is passed.
    """
    check_shape(tree, limits)
    check_types(tree)
    made, notes = rebuild(tree, limits)
    check_content(made)
    return made, notes


def open_checked(data: bytes) -> Any:
    """Return the classifier in a skops file that a child handed over, checked anew."""
    limits = ModelLimits()
    tree = read_tree(data, limits).tree
    check_shape(tree, limits)
    model, _ = open_tree(tree, limits)
    check_classifier(model)
    return model


def check_classifier(model: Any) -> None:
    """Raise unless a model is a fitted classifier."""
    if not hasattr(model, "predict") or not is_classifier(scorer(model)):
        raise InputTypeError(
            f"A model must be a scikit-learn classifier. Got {type(model).__name__}; save the fitted classifier or its pipeline."
        )
    try:
        check_is_fitted(model)
        classes = getattr(scorer(model), "classes_", None)
    except NotFittedError as error:
        raise _not_fitted(model) from error
    if classes is None:
        raise _not_fitted(model)


def _not_fitted(model: Any) -> InputError:
    return InputError(
        f"A model must be fitted. Got {type(model).__name__} without what fitting leaves in it; call fit and save it again."
    )


def version_notes(tree: Any) -> tuple[str, ...]:
    """Say of each earlier scikit-learn that made parts of a tree that they were brought over."""
    earlier = [one for one in sklearn_versions(tree) if release_of(one, None) != CURRENT]
    return tuple(
        f"The model was made with scikit-learn {version} and is opened as one of {sklearn.__version__}; models of that release, made as tests, "
        "keep their scores."
        for version in earlier
    )
