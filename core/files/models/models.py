"""Opening fitted models, and writing them as skops files; nothing here ever unpickles."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sklearn
import skops.io
from sklearn.base import is_classifier
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from core.case.arguments import check_path
from core.case.group_thresholds import lean, scorer
from core.errors import InputError, InputTypeError
from core.files.models.allowed import CURRENT
from core.files.models.building.build import rebuild
from core.files.models.building.versions import release_of
from core.files.models.content import check_content
from core.files.models.inert import check_shape
from core.files.models.read import read_tree, sklearn_versions, unwrapped
from core.files.models.types import check_types
from core.files.tables.limits import ModelLimits, Source, check_limits, read_source


@dataclass(frozen=True)
class ModelFile:
    """A model read from a file.

    Parameters
    ----------
    model : object
        The fitted classifier.
    notes : tuple of str
        What a user should know about it, one sentence each.
    """

    model: Any
    notes: tuple[str, ...] = ()


def load_model(source: Source, *, limits: ModelLimits = ModelLimits()) -> Any:  # noqa: B008
    """Open the fitted classifier in a skops, pickle or joblib file, running nothing of it.

    Files of scikit-learn 1.0 to the installed release are opened; models of earlier releases are brought to the installed one, and
    score as they did. Cost grows with the size of the file.

    Parameters
    ----------
    source : str, Path, bytes or binary file
        The file.
    limits : ModelLimits
        What it must keep.

    Returns
    -------
    object
        A scikit-learn classifier or pipeline, or fairlearn's ThresholdOptimizer around one.

    Raises
    ------
    LimitError
        If a limit is passed.
    InputError
        If the file is damaged, holds a type that is not on the allow-list, is of a release whose scores cannot be kept, or no fitted classifier.
    """
    return read_model(source, limits=limits).model


def read_model(source: Source, *, limits: ModelLimits = ModelLimits()) -> ModelFile:  # noqa: B008
    """Return what `load_model` returns, together with notes about the file.

    Parameters
    ----------
    source : str, Path, bytes or binary file
        The file.
    limits : ModelLimits
        What it must keep.

    Returns
    -------
    ModelFile

    Raises
    ------
    LimitError, InputError
        As `load_model`.
    """
    check_limits(limits, ModelLimits)
    data = read_source(source, "model", limits.max_bytes)
    found = read_tree(data, limits)
    tree, notes = unwrapped(found.tree)
    check_shape(tree, limits)
    check_types(tree)
    model, said = rebuild(tree, limits)
    check_content(model)
    _check_fitted(model)
    return ModelFile(model, (*notes, *said, *_version_notes(tree)))


def save_model(model: Any, path: str | Path) -> None:
    """Write a fitted classifier as a skops file that `load_model` reads.

    Parameters
    ----------
    model : object
        A fitted scikit-learn classifier or pipeline, or fairlearn's ThresholdOptimizer around one, whose curves of training scores
        are left out: skops cannot write them.
    path : str or Path
        Where to write.

    Raises
    ------
    InputError
        If the file could not be read back: the model holds a type that is not on the allow-list, or is not fitted.
    """
    check_path(path, "A file for the model")
    try:
        data = skops.io.dumps(lean(model))
    except Exception as error:
        raise InputError(
            f"A model must consist of parts that skops can write. {type(model).__name__} does not ({error}); "
            "use a plain scikit-learn model."
        ) from error
    load_model(data)
    try:
        Path(path).write_bytes(data)
    except OSError as error:
        raise InputError(
            f"A model must be saved to a file in a folder that exists and may be written to. Got {str(path)!r} "
            f"({error.strerror}); check the path."
        ) from error


def _version_notes(tree: Any) -> tuple[str, ...]:
    earlier = [one for one in sklearn_versions(tree) if release_of(one, None) != CURRENT]
    return tuple(
        f"The model was made with scikit-learn {version} and is opened as one of {sklearn.__version__}; models of that release, made as tests, "
        "keep their scores."
        for version in earlier
    )


def _check_fitted(model: Any) -> None:
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
