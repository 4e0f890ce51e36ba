"""Where records stand in the training table, looked up by id or by subject."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any

import numpy as np
import pandas as pd

from core.errors import InputError, InputTypeError, listed, nearest
from core.typing import Bools, Positions

FEW = 32
"""Up to this many ids are looked up one by one, which is quicker than building an index."""


def find_records(record_ids: pd.Index[Any], retained: Bools, ids: Iterable[Any]) -> Positions:
    """Return the positions of retained records; as `Case.positions`."""
    _check_list(ids)
    wanted = list(ids)
    if not all(isinstance(one, Hashable) for one in wanted):
        raise InputTypeError("Ids must be a flat list of numbers or texts. Got a list of lists; flatten it.")
    found = _one_by_one(record_ids, wanted) if len(wanted) <= FEW else record_ids.get_indexer(pd.Index(wanted))
    if (found < 0).any():
        unknown = [one for one, position in zip(wanted, found, strict=True) if position < 0]
        raise InputError(
            f"Every id must be a record of the training table. Unknown: {listed(unknown)}.{nearest_id(unknown[0], record_ids)}"
        )
    if len(found) > 1 and len(np.unique(found)) < len(found):
        repeated = pd.Index(wanted)
        raise InputError(
            f"Each id must be given once. Got {listed(repeated[repeated.duplicated()].unique())} more than once; drop the repeats."
        )
    gone = ~retained[found]
    if gone.any():
        raise InputError(
            f"Only retained records can be removed. Removed already: {listed(record_ids[found[gone]])}; leave them out."
        )
    return found


def _check_list(ids: object) -> None:
    if ids is None:
        raise InputTypeError("Ids must be given as a list. Got None instead; an empty list forgets nothing.")
    if not isinstance(ids, Iterable) or isinstance(ids, str):
        raise InputTypeError(f"Ids must be given as a list. Got {ids!r} instead; write [{ids!r}].")


def find_subjects(column: pd.Index[Any] | None, retained: Bools, subjects: Iterable[Any]) -> Positions:
    """Return the positions of all retained records of some subjects.

    As `Case.positions_of_subjects`.
    """
    if column is None:
        raise InputError(
            "Removing by subject needs a subject column. Roles.subject_id is not set; name it, or give record ids."
        )
    _check_list(subjects)
    wanted = pd.Index(list(subjects)).unique()
    unknown = wanted[~wanted.isin(column[retained])]
    if len(unknown):
        raise InputError(
            f"Every subject must have a retained record. None found for {listed(unknown)}.{nearest_id(unknown[0], column)}"
        )
    return np.flatnonzero(column.isin(wanted) & retained)


def _one_by_one(record_ids: pd.Index[Any], wanted: list[Any]) -> Positions:
    found = np.empty(len(wanted), dtype=np.intp)
    for index, one in enumerate(wanted):
        try:
            found[index] = record_ids.get_loc(one)  # type: ignore[assignment]
        except (KeyError, TypeError):
            found[index] = -1
    return found


def nearest_id(wanted: object, ids: pd.Index[Any]) -> str:
    """Return a hint for an unknown id.

    Another type of the same text, or the nearest names of a short index.
    """
    if len(ids) and isinstance(wanted, str) and not isinstance(ids[0], str):
        return f" Ids of this case are numbers such as {ids[0]}; got text."
    if len(ids) and not isinstance(wanted, str) and isinstance(ids[0], str):
        return f" Ids of this case are text such as {ids[0]!r}; got a number."
    return nearest(wanted, ids) if len(ids) <= 2000 else ""
