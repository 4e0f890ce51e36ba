"""Edits beyond removal: other labels and weights for training records.

None of them trains the model again.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from core.actions.unlearn import DEFAULT_TOLERANCE, check_tolerance, first_that_serves, unchanged
from core.case.case import Case, check_case
from core.case.edits import compare_with_table, new_codes, new_weights
from core.errors import InputError, listed
from core.former import formerly
from core.typing import Floats, Positions, Progress
from core.unlearning.base import UnlearnResult


@formerly("reweight", "method")
def edit(
    case: Case,
    relabel: Mapping[Any, Any] | None = None,
    *,
    reweight: Mapping[Any, float] | None = None,
    method: str = "auto",
    tolerance: float = DEFAULT_TOLERANCE,
    progress: Progress | None = None,
) -> UnlearnResult:
    """Give training records another label or another weight; the case handed in is untouched.

    A record may be in both. The edited label or weight takes the place of the table's in this case and in all made from it;
    editing it back to the table's ends the edit.

    Parameters
    ----------
    case : Case
    relabel : mapping of record id to label, optional
        Labels are classes of the model.
    reweight : mapping of record id to float, optional
        New training weights, above 0; a record without any has weight 1.
    method : str
        A name from `unlearners_for`; "auto" takes the first that serves the edit.
    tolerance, progress
        As for `unlearn`.

    Returns
    -------
    UnlearnResult
        ``n_edited`` says how many records changed; ``n_forgotten`` is 0.

    Raises
    ------
    InputError
        If an id is unknown, repeated or removed, a label is not a class of the model, a weight is not above 0, or the last record
        of a class would be relabelled.
    NotSupportedError
        If the method asked for does not serve the edit.

    Notes
    -----
    An edit is a removal of the old record and the addition of the new one, at the cost of both.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn.linear_model import LogisticRegression
    >>> from core import Case, Roles, edit
    >>> table = pd.DataFrame({"income": [1.0, 2.0, 3.0, 4.0] * 5, "sex": ["f", "m"] * 10, "granted": [0, 1, 0, 1] * 5})
    >>> model = LogisticRegression().fit(table[["income"]], table["granted"])
    >>> case = Case(model, train=table, test=table, roles=Roles("granted", 1, 1, ["sex"]))
    >>> result = edit(case, relabel={2: 1}, reweight={0: 0.5})
    >>> result.n_edited, result.method, result.guarantee.value, int(result.case.train_labels[2])
    (2, 'newton', 'certified', 1)
    """
    start = time.perf_counter()
    check_case(case)
    case.check_unchanged()
    check_tolerance(tolerance)
    codes, weight = (
        _labels_after(case, {} if relabel is None else relabel),
        _weights_after(case, {} if reweight is None else reweight),
    )
    positions = _changed(case, codes, weight)
    if len(positions) == 0:
        return unchanged(case, method, "No label or weight differs, so the model is the one handed in.")
    edits = compare_with_table(codes, weight, *case.table_labels)
    result = first_that_serves(case, method, lambda one: one.change(case, positions, edits, tolerance), start, progress)
    return replace(result, n_edited=len(positions), tolerance=tolerance)


def _labels_after(case: Case, relabel: Mapping[Any, Any]) -> Positions:
    codes = case.train_codes.copy()
    wanted = new_codes(relabel, case.classes)
    codes[case.positions(relabel)] = wanted
    before, after = (np.bincount(of[case.retained], minlength=len(case.classes)) for of in (case.train_codes, codes))
    gone = case.classes[(before > 0) & (after == 0)]
    if len(gone):
        raise InputError(
            f"At least one record of every class must stay. This relabels every record with {case.roles.target} = {listed(gone)}; relabel fewer."
        )
    return codes


def _weights_after(case: Case, reweight: Mapping[Any, float]) -> Floats | None:
    wanted = new_weights(reweight)
    positions = case.positions(reweight)
    if case.train_weight is None and not (wanted != 1.0).any():
        return None
    weight = np.ones(len(case.retained)) if case.train_weight is None else case.train_weight.copy()
    weight[positions] = wanted
    return weight


def _changed(case: Case, codes: Positions, weight: Floats | None) -> Positions:
    changed = codes != case.train_codes
    if weight is not None:
        changed = changed | (weight != (1.0 if case.train_weight is None else case.train_weight))
    return np.flatnonzero(changed)
