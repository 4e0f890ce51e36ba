"""Tasks of a child process on bytes from outside.

It opens them, tries the model and hands it over, or tells what they hold.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import pandas as pd
import skops.io

from core.case.group_thresholds import lean
from core.errors import InputError
from core.files.models.chain.compose import compose_here
from core.files.models.inspect import inspect_here
from core.files.models.isolation.frames import unpack_frame
from core.files.models.opening import open_here
from core.files.models.rehearsal import rehearse
from core.files.tables.limits import ModelLimits


def prove(payload: dict[str, Any]) -> dict[str, Any]:
    """Open the model of files, try it on rows made up for it, and return it as a skops file.

    Parameters
    ----------
    payload : dict
        ``files``, their bytes by name; ``limits``, those of `ModelLimits` by name; ``train``, the training table if it is known.

    Returns
    -------
    dict
        ``model``, the bytes of a skops file, ``notes`` and ``script``.
    """
    opened = open_here(*_asked(payload))
    rehearse(opened.model)
    return {"model": as_skops(opened.model), "notes": opened.notes, "script": opened.script}


def compose(payload: dict[str, Any]) -> dict[str, Any]:
    """Do what `core.compose_model` asks; the model is returned as a skops file."""
    made = compose_here(*_asked(payload))
    rehearse(made.model)
    told = {name: getattr(made, name) for name in ("files", "steps", "columns", "notes", "script")}
    return {"model": as_skops(made.model), **told}


def _asked(payload: dict[str, Any]) -> tuple[dict[str, bytes], ModelLimits, pd.DataFrame | None]:
    train = payload.get("train")
    return payload["files"], ModelLimits(**payload["limits"]), None if train is None else unpack_frame(train)


def tell(payload: dict[str, Any]) -> dict[str, Any]:
    """Return what `core.inspect_model` tells of a file, by name."""
    return asdict(inspect_here(payload["data"], ModelLimits(**payload["limits"])))


def as_skops(model: Any) -> bytes:
    """Return a model as a skops file.

    Raises
    ------
    InputError
        If skops cannot write a part of it.
    """
    try:
        data: bytes = skops.io.dumps(lean(model))
    except Exception as error:  # what is in the model decides which
        raise InputError(
            f"A model must consist of parts that skops can write. {type(model).__name__} does not ({error}); "
            "use a plain scikit-learn model."
        ) from error
    return data
