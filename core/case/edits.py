"""Labels and weights of training records that differ from the training table's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from core.case import door
from core.case.frozen import frozen
from core.case.memo import Memo
from core.errors import InputError, InputTypeError, listed
from core.typing import Bools, Floats, Positions


@dataclass(frozen=True, eq=False)
class Edits:
    """The labels and weights a case trains on, in place of its table's.

    Parameters
    ----------
    train_codes : ndarray of int, shape (n_train,)
        Each label's index into the model's classes.
    train_weight : ndarray, shape (n_train,), optional
        Training weights; None where no column gives any and none was edited.
    edited : ndarray of bool, shape (n_train,)
        Records whose label or weight is not the table's.
    """

    train_codes: Positions
    train_weight: Floats | None
    edited: Bools
    memo: Memo = field(default_factory=Memo)


def compare_with_table(
    codes: Positions, weight: Floats | None, table_codes: Positions, table_weight: Floats | None
) -> Edits | None:
    """Return the edits that lead from a table's labels and weights to these.

    None where nothing differs.
    """
    edited = codes != table_codes
    if weight is not None:
        edited = edited | (weight != (1.0 if table_weight is None else table_weight))
    if not edited.any():
        return None
    return Edits(frozen(codes.copy()), None if weight is None else frozen(weight.copy()), frozen(edited))


def new_codes(relabel: Mapping[Any, Any], classes: npt.NDArray[Any]) -> Positions:
    """Return the classes that records are relabelled to, as indices.

    Raises
    ------
    InputError
        If a label is not a class of the model.
    """
    labels = _checked(relabel, "relabel", "label")
    return np.array([_code(label, classes) for label in labels], dtype=np.intp)


def _code(label: object, classes: npt.NDArray[Any]) -> int:
    wanted = door.resolve_label(label, classes, role="A new label")
    return int(np.flatnonzero(classes == wanted)[0])


def new_weights(reweight: Mapping[Any, Any]) -> Floats:
    """Return the weights that records are given.

    Raises
    ------
    InputError
        If one is not a positive number.
    """
    given = _checked(reweight, "reweight", "weight")
    try:
        weights = np.array([float(weight) for weight in given])
    except (TypeError, ValueError) as error:
        raise InputTypeError(f"New weights must be numbers. Got {listed(given)}.") from error
    wrong = ~np.isfinite(weights) | (weights <= 0)
    if wrong.any():
        raise InputError(
            f"New weights must be finite and above 0. Got {listed(weights[wrong])}; to take records out, remove them instead."
        )
    return weights


def _checked(values: object, name: str, what: str) -> list[Any]:
    if not isinstance(values, Mapping):
        raise InputTypeError(
            f"`{name}` must map record ids to a {what} each. Got {type(values).__name__}; write {{id: {what}}}."
        )
    return list(values.values())
