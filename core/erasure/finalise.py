"""A case whose tables no longer hold the records that its model forgot."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from core.case.case import Case, check_case
from core.case.edits import compare_with_table
from core.case.roles import Roles
from core.errors import InputError
from core.former import formerly
from core.typing import Bools

ID_NAMES = ("record", "record_id", "redress_record")
"""What a column is called that keeps ids which were positions in the training table."""


@formerly()
def finalise(case: Case, *, test_rows: Bools | None = None) -> Case:
    """Return the case without the rows of removed records.

    Its removals can no longer be undone.
    Costs a copy of the tables. The model, its draws, the split, the bins of groups and the ids stay as they are. Records that had their position
    for an id get a column with it.

    Parameters
    ----------
    case : Case
    test_rows : ndarray of bool, shape (n_test,), optional
        Rows of the test table to drop as well, such as those of people who are to be forgotten. Test rows without ids are numbered anew.

    Returns
    -------
    Case
        With tables of its own; it looks at all test rows, whatever condition the case handed in was narrowed by.

    Raises
    ------
    InputError
        If too little is left of the tables to be a case.

    Examples
    --------
    >>> import core
    >>> case = core.load_case("credit")
    >>> after = core.finalise(core.unlearn(case, case.record_ids[:3]).case)
    >>> len(case.train) - len(after.train), case.record_ids[3] == after.record_ids[0]
    (3, True)
    """
    check_case(case)
    whole = case.whole()
    kept = _kept_test_rows(whole, test_rows)
    state = whole.prepared.to_keep(whole)
    train, roles = _with_ids(whole.train[whole.retained].reset_index(drop=True), whole)
    confirm = whole.confirm_mask[kept]
    made = Case(
        whole.model,
        train,
        whole.test[kept].reset_index(drop=True),
        _with_bins(whole, roles),
        whole.threshold,
        confirm=False,
    )
    made = made.with_confirm_rows(confirm, whole.split_seed).with_looks(whole.looks.entries)
    if whole.edits is not None:
        weight = whole.train_weight
        edits = compare_with_table(
            whole.train_codes[whole.retained],
            None if weight is None else weight[whole.retained],
            *made.table_labels,
        )
        made = made.with_edits(made.model, edits)
    return made if state is None else made.keeping(state)


def _kept_test_rows(case: Case, dropped: Bools | None) -> Bools:
    if dropped is None:
        return np.ones(len(case.test), dtype=bool)
    given = np.asarray(dropped)
    if given.dtype != np.bool_ or given.shape != (len(case.test),):
        raise InputError(
            f"`test_rows` must be a mask of {len(case.test):,} test rows. Got {given.shape} of {given.dtype}."
        )
    if case.confirm_mask[~given].all():
        raise InputError("A case must keep test rows to explore. None would be left; delete the case instead.")
    return ~given


def _with_ids(train: pd.DataFrame, case: Case) -> tuple[pd.DataFrame, Roles]:
    """Return the retained records and the roles that go with them.

    Ids that were positions stand in a column of their own.
    """
    if case.roles.record_id is not None or case.retained.all():
        return train, case.roles
    taken: set[Any] = {*case.train.columns, *case.test.columns}
    name = next(one for one in (*ID_NAMES, *(f"record_{number}" for number in range(len(taken)))) if one not in taken)
    return train.assign(**{name: case.retained_ids.to_numpy()}), case.roles.with_(record_id=name)


def _with_bins(case: Case, roles: Roles) -> Roles:
    """Return roles with the bins that all records gave.

    Groups thus do not move with the records that are gone.
    """
    edges = {name: one.edges for name, one in case._data.groupings.items() if one.edges is not None}
    return roles.with_(bins=edges) if edges else roles
