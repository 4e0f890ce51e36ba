"""Opening fitted models, and writing them as skops files; nothing here ever unpickles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import skops.io

from core.case.arguments import check_path
from core.case.group_thresholds import lean
from core.errors import InputError, InputTypeError
from core.files.models.building.checked import check_classifier, open_tree, version_notes
from core.files.models.chain.compose import ComposedModel, Files, compose_model, composed, named_files
from core.files.models.inert import check_shape
from core.files.models.inspect import refusal
from core.files.models.kinds import holds_model
from core.files.models.read import read_tree, unwrapped
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
    script : str
        Where it was put together from parts, code that makes the same pipeline, to train it anew.
    """

    model: Any
    notes: tuple[str, ...] = ()
    script: str = ""


def load_model(
    source: Source | Files,
    *,
    train: pd.DataFrame | None = None,
    limits: ModelLimits = ModelLimits(),  # noqa: B008
) -> Any:
    """Open the fitted classifier in a skops, pickle or joblib file, running nothing of it.

    Classifiers of XGBoost, LightGBM and CatBoost open from these, and from JSON, UBJ, text and cbm; the library's own loader reads a booster.
    Files of scikit-learn 1.0 to the installed release are opened; models of earlier releases are brought to the installed one, and
    score as they did. Several files that hold a classifier and what prepares its rows become one pipeline, as `compose_model` says. Cost
    grows with the size of the files.

    Parameters
    ----------
    source : str, Path, bytes or binary file; or a sequence of them, or a mapping of names to them
        The file, or up to six.
    train : DataFrame, optional
        The table it was trained on; decides where several files fit in several orders.
    limits : ModelLimits
        What each file must keep.

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
    return read_model(source, train=train, limits=limits).model


def read_model(
    source: Source | Files,
    *,
    train: pd.DataFrame | None = None,
    limits: ModelLimits = ModelLimits(),  # noqa: B008
) -> ModelFile:
    """Return what `load_model` returns, together with notes about the file.

    Parameters
    ----------
    source : str, Path, bytes or binary file; or a sequence of them, or a mapping of names to them
        The file, or up to six.
    train : DataFrame, optional
        As for `load_model`.
    limits : ModelLimits
        What each file must keep.

    Returns
    -------
    ModelFile

    Raises
    ------
    LimitError, InputError
        As `load_model`.
    """
    check_limits(limits, ModelLimits)
    files: dict[str, Any] = named_files(source) if isinstance(source, Mapping | list | tuple) else {"the file": source}
    if len(files) > 1:
        return _of_composed(compose_model(files, train=train, limits=limits))
    name, file = next(iter(files.items()))
    found = read_tree(read_source(file, "model", limits.max_bytes), limits)
    tree, notes = unwrapped(found.tree)
    check_shape(tree, limits)
    if isinstance(tree, dict | list | tuple) and holds_model(tree):
        return _of_composed(composed({name: tree}, train, limits))
    if why := refusal(tree):
        raise InputTypeError(why)
    model, said = open_tree(tree, limits)
    check_classifier(model)
    return ModelFile(model, (*notes, *said, *version_notes(tree)))


def _of_composed(found: ComposedModel) -> ModelFile:
    steps = f"The model was put together: {' > '.join(found.steps)}." if len(found.steps) > 1 else ""
    return ModelFile(found.model, (*((steps,) if steps else ()), *found.notes), found.script)


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
