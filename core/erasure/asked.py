"""The rows of people who are to be forgotten, found by a list of ids."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from core.case.arguments import check_choice
from core.case.case import Case
from core.errors import InputError, InputTypeError, listed
from core.files.tables.id_list import IdList
from core.files.tables.id_spelling import match_ids
from core.typing import Bools


@dataclass(frozen=True, eq=False)
class RequestedRows:
    """The rows that a list of ids stands for.

    Parameters
    ----------
    by : {"record", "subject"}
        What the ids name.
    found, not_found : tuple
        Ids with a row in either table, spelled as there, and those without, each once.
    train : ndarray of bool, shape (n_train,)
        Training records of theirs, those removed earlier included.
    test : ndarray of bool, shape (n_test,)
        Rows of theirs to explore or confirm on.
    """

    by: str
    found: tuple[Any, ...]
    not_found: tuple[Any, ...]
    train: Bools
    test: Bools


def rows_asked(case: Case, ids: Iterable[Any] | IdList, by: str) -> RequestedRows:
    """Find every row of a list of ids: O(ids + rows).

    Raises
    ------
    InputError
        If the list is empty, names nobody or everybody, or no column names subjects.
    """
    check_choice("by", by, ("record", "subject"))
    wanted = _listed([*ids.found, *ids.forgotten, *ids.unknown] if isinstance(ids, IdList) else ids)
    column = case.roles.record_id if by == "record" else case.roles.subject_id
    known = case.record_ids if by == "record" else case.subject_ids
    if known is None:
        raise InputError(
            "Erasing by subject needs a subject column. Roles.subject_id is not set; name it, or give record ids."
        )
    train, meant = _rows_of(wanted, known)
    test = np.zeros(len(case.test), dtype=bool)
    if column is not None and column in case.test:
        test, tested = _rows_of(wanted, pd.Index(case.test[column]))
        meant = meant | tested | meant
    if not meant:
        raise InputError(
            f"An erasure must name somebody whose rows are here. No row of either table has {listed(wanted)}; check the list and what its ids name."
        )
    if train[case.retained].all():
        raise InputError(
            f"An erasure must leave records to train on. The list names all {case.n_retained:,}; delete the case and its model instead."
        )
    found = dict.fromkeys(meant[one] for one in wanted if one in meant)
    return RequestedRows(by, tuple(found), tuple(one for one in wanted if one not in meant), train, test)


def _listed(ids: object) -> list[Any]:
    """Return the ids of a list, each once."""
    if not isinstance(ids, Iterable) or isinstance(ids, str | bytes | dict):
        raise InputTypeError(
            f"Ids must be given as a list. Got {ids!r} instead; write [{ids!r}], or give core.read_ids(case, file)."
        )
    wanted = list(ids)
    if not all(isinstance(one, Hashable) for one in wanted):
        raise InputTypeError("Ids must be a flat list of numbers or texts. Got a list of lists; flatten it.")
    if not wanted:
        raise InputError(
            "An erasure must name somebody. Got an empty list; give the ids of whoever is to be forgotten."
        )
    return list(dict.fromkeys(wanted))


def _rows_of(wanted: list[Any], known: pd.Index[Any]) -> tuple[Bools, dict[Any, Any]]:
    """Return which rows have any of the ids, and for ids that have one how it spells them."""
    texts = iter(match_ids([one for one in wanted if isinstance(one, str)], known))
    meant = pd.Index([next(texts) if isinstance(one, str) else one for one in wanted], dtype=object)
    pairs = zip(wanted, meant, meant.isin(known), strict=True)
    return np.asarray(known.isin(meant), dtype=bool), {one: own for one, own, hit in pairs if hit}
