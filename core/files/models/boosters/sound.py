"""Checks that readers of boosters share, of numbers, names and trees.

All must be sound before compiled code follows them.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import numpy as np
import numpy.typing as npt

from core.errors import InputError, LimitError

NAMES = {"xgboost": "XGBoost", "lightgbm": "LightGBM", "catboost": "CatBoost"}
MOST_COLUMNS = 1 << 20
_LONGEST_NAME = 1_000
_LONGEST_SHOWN = 60


def not_installed(library: str) -> str:
    """Return a sentence where a library is not installed; empty where it is."""
    if find_spec(library) is not None:
        return ""
    return f"{NAMES[library]} must be installed to open its models. It is not; install it with pip install 'redress[boosters]'."


def unsound(library: str, why: str) -> InputError:
    """Return the error for a booster that no training leaves."""
    return InputError(
        f"A booster's file must hold a model as {NAMES[library]} trained it. In this one {why}; save or upload it again."
    )


def of_another_objective(library: str, objective: Any) -> InputError:
    """Return the error for a booster that is not trained to tell two classes apart."""
    shown = str(objective)[:_LONGEST_SHOWN]
    wanted = {"xgboost": "binary:logistic", "lightgbm": "binary", "catboost": "Logloss"}[library]
    return InputError(
        f"A booster must be trained for the probability of one of two classes ({wanted}). Got one of {NAMES[library]} trained for {shown!r}; "
        "train a classifier of two classes."
    )


def with_categories(library: str) -> InputError:
    """Return the error for a booster that takes columns as categories itself."""
    return InputError(
        f"A booster in a file must take every column as numbers. Got one of {NAMES[library]} that splits on categories; encode them in a pipeline "
        "before it."
    )


def from_the_future(library: str, made_with: str, installed: str) -> InputError:
    """Return the error for a booster of a later release than the installed one."""
    name = NAMES[library]
    return InputError(
        f"A model must be made with {name} {installed} or before. Got one made with {made_with}; train it with an earlier {name}, or use a later Redress."
    )


def checked_whole(value: Any, least: int, most: int, library: str, what: str) -> int:
    """Return a whole number, also one spelled in digits, checked."""
    if isinstance(value, str) and 0 < len(value) <= 12 and value.lstrip("-").isdecimal():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or not least <= value <= most:
        raise unsound(library, f"{what} is not a whole number from {least:,} to {most:,}")
    return int(value)


def names_of(value: Any, n: int, library: str) -> list[str]:
    """Return names of columns: none, or one for each."""
    if value is None or (isinstance(value, list) and not value):
        return []
    if not isinstance(value, list) or len(value) != n or not all(isinstance(one, str) for one in value):
        raise unsound(library, f"the names of columns are not {n:,}")
    if any(len(one) > _LONGEST_NAME for one in value):
        raise LimitError(f"A column's name can have at most {_LONGEST_NAME:,} characters. Got a longer one; rename it.")
    return value


def check_children(left: npt.NDArray[np.int64], right: npt.NDArray[np.int64], library: str) -> npt.NDArray[np.bool_]:
    """Return which nodes hang on the root; raise where one is met twice, or lies outside.

    Parameters
    ----------
    left, right : ndarray of int, shape (n_nodes,)
        Nodes below each node, both -1 for a leaf.
    """
    n = len(left)
    reached = np.zeros(n, dtype=bool)
    reached[0] = True
    at = np.zeros(1, dtype=np.int64)
    while len(at):
        inner = at[(left[at] != -1) | (right[at] != -1)]
        below = np.concatenate([left[inner], right[inner]])
        outside = (below < 0) | (below >= n)
        if outside.any() or len(np.unique(below)) != len(below) or reached[below].any():
            raise unsound(library, "nodes of a tree lead outside it, or to where they were")
        reached[below] = True
        at = below
    return reached
