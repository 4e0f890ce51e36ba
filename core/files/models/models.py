"""Opening fitted models, and writing them as skops files; nothing here ever unpickles.

Files are read, built, checked and tried in a child process, which hands the model over as a skops file; that is opened here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from core.case.arguments import check_path
from core.files.models.building.checked import open_checked
from core.files.models.chain.compose import Files, check_train, named_files
from core.files.models.child import in_child, start_early
from core.files.models.isolation.frames import pack_frame
from core.files.models.opening import ModelFile
from core.files.models.proving import as_skops
from core.files.tables.limits import ModelLimits, Source, check_limits, read_source
from core.files.writing import not_written, write_whole


def load_model(
    source: Source | Files,
    *,
    train: pd.DataFrame | None = None,
    limits: ModelLimits = ModelLimits(),  # noqa: B008
) -> Any:
    """Open the fitted classifier in a skops, pickle or joblib file, running nothing of it.

    It is read, built, checked and tried in a process of its own, under limits: whatever is in the file, this process lives.
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
    looking: Callable[[], None] | None = None,
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
    looking : callable, optional
        Called again and again meanwhile; may raise to give up.

    Returns
    -------
    ModelFile

    Raises
    ------
    LimitError, InputError
        As `load_model`.
    """
    check_limits(limits, ModelLimits)
    check_train(train)
    start_early()
    files: dict[str, Any] = named_files(source) if isinstance(source, Mapping | list | tuple) else {"the file": source}
    proven = in_child(
        "core.files.models.proving:prove",
        {
            "files": {name: read_source(one, "model", limits.max_bytes) for name, one in files.items()},
            "limits": asdict(limits),
            "train": None if train is None else pack_frame(train),
        },
        looking=looking,
    )
    data = proven["model"]
    return ModelFile(open_checked(data), tuple(proven["notes"]), proven["script"], data)


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
    data = checked_skops(model)
    try:
        write_whole(Path(path), data)
    except OSError as error:
        raise not_written("A model", Path(path), error) from error


def checked_skops(model: Any) -> bytes:
    """Return a fitted classifier as a skops file, once it was read back.

    Raises
    ------
    InputError
        If it could not be.
    """
    data = as_skops(model)
    open_checked(data)
    return data
