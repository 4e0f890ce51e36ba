"""Reading and writing fitted models as skops files; nothing here ever unpickles."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sklearn
import skops.io
from sklearn.base import is_classifier
from sklearn.exceptions import InconsistentVersionWarning, NotFittedError
from sklearn.utils.validation import check_is_fitted

from core.case.arguments import check_path
from core.case.group_thresholds import lean, scorer
from core.errors import InputError, InputTypeError, listed
from core.files.models.allowed import TRUSTED_BEYOND_SKOPS
from core.files.models.archive import check_archive
from core.files.models.content import check_content
from core.files.tables.limits import ModelLimits, Source, check_limits, read_source


@dataclass(frozen=True)
class ModelFile:
    """A model read from a skops file.

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
    """Return the fitted classifier in a skops file.

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
        If the file is damaged, holds a type that is not on the allow-list, or is not a fitted classifier.
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
    check_archive(data, limits)
    model, notes = _rebuild(data)
    check_content(model)
    _check_fitted(model)
    return ModelFile(model, notes)


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


def _rebuild(data: bytes) -> tuple[Any, tuple[str, ...]]:
    # Every failure below is the file's: what is in it decides which constructor complains, and how.
    try:
        untrusted = set(skops.io.get_untrusted_types(data=data))
    except Exception as error:
        raise _not_rebuilt(error) from error
    if untrusted - TRUSTED_BEYOND_SKOPS:
        raise InputError(
            "A model file may contain only types on the allow-list. "
            f"Got {listed(sorted(untrusted - TRUSTED_BEYOND_SKOPS))}; save the model without them."
        )
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            model = skops.io.loads(data, trusted=sorted(TRUSTED_BEYOND_SKOPS))
        except Exception as error:
            raise _not_rebuilt(error) from error
    return model, _version_notes(caught)


def _not_rebuilt(error: Exception) -> InputError:
    return InputError(
        f"A model file must be whole and fit scikit-learn {sklearn.__version__}. It could not be rebuilt "
        f"({type(error).__name__}: {str(error)[:200]}); save the model again, with that version."
    )


def _version_notes(caught: list[warnings.WarningMessage]) -> tuple[str, ...]:
    made_with = {
        warning.message.original_sklearn_version
        for warning in caught
        if isinstance(warning.message, InconsistentVersionWarning)
    }
    return tuple(
        f"The model was made with scikit-learn {version} and is read by {sklearn.__version__}: its scores can differ from those it gave there."
        for version in sorted(made_with)
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
