"""A search of a model for forgotten records that it still holds.

Models of neighbours and of support vectors store rows as they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse import issparse
from sklearn.pipeline import Pipeline

from core.case.case import Case
from core.shown import Shown
from core.typing import Array
from core.unlearning.base import model_input
from core.words import count, listing

DEEPEST = 40
PLAIN = (str, bytes, int, float, complex, bool, type(None), np.generic, type)


@dataclass(frozen=True, repr=False)
class Residue(Shown):
    """Forgotten records found inside a model.

    Parameters
    ----------
    found : DataFrame
        A row for each array of the model that holds forgotten records: ``place``, ``rows`` it holds, ``form`` in which.
    n_forgotten : int
        Records looked for.
    n_arrays : int
        Arrays of the model that were searched.
    """

    found: pd.DataFrame
    n_forgotten: int
    n_arrays: int

    @property
    def clean(self) -> bool:
        """Whether no array holds a forgotten record."""
        return self.found.empty

    @property
    def sentence(self) -> str:
        """The finding of the search, in words."""
        if self.clean:
            return f"None of {count(self.n_arrays, 'array')} in the model holds a row of the {count(self.n_forgotten, 'forgotten record')}."
        places = [
            f"{place} ({count(rows, 'row')})"
            for place, rows in zip(self.found["place"], self.found["rows"], strict=True)
        ]
        return (
            f"The model still holds forgotten records: {listing(places)}. Training again without them takes them out."
        )

    def lines(self) -> list[str]:
        """Say whether forgotten records were found."""
        return ["Residue", self.sentence]

    def to_frame(self) -> pd.DataFrame:
        """Return the arrays that hold forgotten records."""
        return self.found.copy()


def residue(case: Case) -> Residue:
    """Search a model for the records it is to have forgotten.

    Every array reachable from the model is compared row by row with the forgotten records: as given to the model and after each step of
    a pipeline, in single precision. A record that equals a retained one is not looked for, as its row may be there rightly.

    Parameters
    ----------
    case : Case
        After a removal.

    Returns
    -------
    Residue
    """
    gone = ~case.retained
    forms = [] if not gone.any() else list(_forms(case, gone))
    rows, n_arrays = [], 0
    for place, array in arrays_of(case.model):
        n_arrays += 1
        for form, wanted in forms:
            held = _held(array, wanted)
            if held:
                rows.append({"place": place, "rows": held, "form": form})
                break
    found = pd.DataFrame(rows, columns=["place", "rows", "form"])
    return Residue(found, int(gone.sum()), n_arrays)


def _forms(case: Case, gone: Array) -> Iterator[tuple[str, set[bytes]]]:
    """Yield the forgotten records in each form that the model may hold.

    Records that equal a retained one are left out.
    """
    sides = [model_input(case, mask) for mask in (gone, case.retained)]
    steps = list(case.model.steps[:-1]) if isinstance(case.model, Pipeline) else []
    for name, step in [("as given", None), *steps]:
        if step is not None and step != "passthrough":
            sides = [step.transform(side) for side in sides]
        keys = [_keys(side) for side in sides]
        if keys[0] is not None and keys[1] is not None:
            yield (name if step is None else f"after {name}"), set(keys[0]) - set(keys[1])


def _keys(rows: Any) -> list[bytes] | None:
    """Return every row as bytes in single precision.

    None where the rows are no numbers, or a single column.
    """
    if getattr(rows, "ndim", 2) != 2:
        return None
    dense: Any = rows.toarray() if issparse(rows) else rows  # type: ignore[attr-defined]
    try:
        matrix = np.asarray(dense, dtype=np.float64)
    except (TypeError, ValueError):
        return None
    if matrix.ndim != 2 or matrix.shape[1] < 2:
        return None
    singles = np.ascontiguousarray(matrix.astype(np.float32)) + np.float32(0.0)
    return [row.tobytes() for row in singles]


def _held(array: Array, wanted: set[bytes]) -> int:
    keys = _keys(array) if wanted else None
    return 0 if keys is None else len(wanted.intersection(keys))


def arrays_of(model: Any) -> Iterator[tuple[str, Any]]:
    """Yield every array of numbers reachable from an object, and where it is.

    Attributes, items, and what compiled objects give for copying are followed.
    """
    seen: set[int] = set()
    kept: list[Any] = []  # what is made on the way stays alive, so that no address is seen twice
    stack: list[tuple[str, Any, int]] = [("model", model, 0)]
    while stack:
        place, one, depth = stack.pop()
        if isinstance(one, PLAIN) or id(one) in seen or depth > DEEPEST:
            continue
        seen.add(id(one))
        kept.append(one)
        if isinstance(one, np.ndarray) or issparse(one):
            if one.dtype != object:  # type: ignore[union-attr]
                yield place, one
            elif isinstance(one, np.ndarray):
                stack.extend((f"{place}[{i}]", item, depth + 1) for i, item in enumerate(one.ravel()))
            continue
        stack.extend((where, item, depth + 1) for where, item in _parts(place, one))


def _parts(place: str, one: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(one, dict):
        yield from ((f"{place}[{key!r}]", item) for key, item in one.items())
    elif isinstance(one, (list, tuple, set, frozenset)):
        yield from ((f"{place}[{i}]", item) for i, item in enumerate(one))
    elif hasattr(one, "__dict__") and not isinstance(one, type):
        yield from ((f"{place}.{name}", item) for name, item in vars(one).items())
        if not vars(one):
            yield from _reduced(place, one)
    else:
        yield from _reduced(place, one)


def _reduced(place: str, one: Any) -> Iterator[tuple[str, Any]]:
    """Yield what a compiled object gives for copying."""
    try:
        made = one.__reduce_ex__(2)
    except Exception:
        return
    if isinstance(made, tuple):
        yield from ((f"{place}.{name}", item) for name, item in zip(("made from", "state"), made[1:3], strict=False))
