"""Opening the bytes of model files in this process: reading, building, checking."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from core.errors import InputTypeError
from core.files.models.building.checked import check_classifier, open_tree, version_notes
from core.files.models.chain.compose import ComposedModel, compose_here, composed
from core.files.models.inert import check_shape
from core.files.models.inspect import refusal
from core.files.models.kinds import holds_model
from core.files.models.read import read_tree, unwrapped
from core.files.tables.limits import ModelLimits


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
    data : bytes
        The model as a skops file of the installed releases.
    """

    model: Any
    notes: tuple[str, ...] = ()
    script: str = ""
    data: bytes = field(default=b"", repr=False)


def open_here(files: Mapping[str, bytes], limits: ModelLimits, train: pd.DataFrame | None = None) -> ModelFile:
    """Open the model in the bytes of skops, pickle or joblib files in this process.

    Of bytes from outside only a child may do so (`core.files.models.proving`): what they hold may take memory and time, or break compiled code in a
    way that no check knows of.

    Raises
    ------
    LimitError
        If a limit is passed.
    InputError
        If no model is opened from the bytes.
    """
    if len(files) > 1:
        return _of_composed(compose_here(files, limits, train))
    name, data = next(iter(files.items()))
    found = read_tree(data, limits)
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
