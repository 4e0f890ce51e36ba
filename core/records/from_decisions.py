"""Starting from decisions: the training records that caused them.

References
----------
Koh, P. W. and Liang, P. (2017). Understanding black-box predictions via influence functions. ICML.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from core.actions.influence import attributor_of
from core.attribution.decisions import QUANTITIES, DecisionQuantity
from core.case.arguments import check_choice
from core.case.case import Case, check_case
from core.case.naming import Named
from core.errors import InputError, NotSupportedError, listed, nearest
from core.former import formerly
from core.typing import Positions

EXPLORE = "explore"
KINDS = ("wrong", "refused", "granted", "wrongly_refused", "wrongly_granted", "all")


@formerly("sensitive_feature", "group")
def choose_decisions(
    case: Case,
    kind: str = "wrong",
    *,
    sensitive_feature: str | Sequence[str] | None = None,
    group: str | None = None,
) -> pd.Index[Any]:
    """Choose the explore rows whose decisions are of one kind.

    Parameters
    ----------
    case : Case
    kind : {"wrong", "refused", "granted", "wrongly_refused", "wrongly_granted", "all"}
        "refused" is the decision against the favourable label; "wrongly" that the label says otherwise.
    sensitive_feature, group : str, optional
        Only rows of this group; of the case's first sensitive feature where none is named.

    Returns
    -------
    Index
        Names of test rows, as in `case.test_ids`; empty where there are none.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn.linear_model import LogisticRegression
    >>> from core import Case, Roles
    >>> table = pd.DataFrame({"income": [1.0, 2.0, 3.0, 4.0] * 5, "sex": ["f", "m"] * 10, "granted": [0, 0, 1, 1] * 5})
    >>> model = LogisticRegression().fit(table[["income"]], table["granted"])
    >>> case = Case(model, train=table, test=table, roles=Roles("granted", 1, 1, ["sex"]), confirm=False)
    >>> choose_decisions(case, "refused", group="f").tolist()
    [0, 4, 8, 12, 16]
    """
    check_case(case)
    check_choice("kind", kind, KINDS)
    if case.randomised:
        raise NotSupportedError(
            "Decisions to start from must be certain. A ThresholdOptimizer draws its own at random."
        )
    decided, label = case.favorable(case.decisions(EXPLORE)), case.favorable(case.y(EXPLORE))
    wanted = {
        "wrong": decided != label,
        "refused": ~decided,
        "granted": decided,
        "wrongly_refused": ~decided & label,
        "wrongly_granted": decided & ~label,
        "all": np.ones(len(label), dtype=bool),
    }[kind]
    if group is not None:
        groups = case.groups(sensitive_feature, EXPLORE)
        if not isinstance(group, str) or group not in groups.names:
            raise InputError(
                f"The group must be one of {listed(groups.names, most=9)}. Got {group!r}.{nearest(group, groups.names)}"
            )
        wanted = wanted & (groups.codes == groups.names.index(group))
    chosen: pd.Index[Any] = case.test_ids[case.rows(EXPLORE)[wanted]]
    return chosen


@formerly("quantity")
def influence_on_decisions(
    case: Case, decisions: Iterable[Any], *, quantity: str = "confidence", by: str | None = None
) -> pd.Series[float]:
    """Predict what removing each training record would do to some decisions on test rows.

    It tells which records caused them.

    Parameters
    ----------
    case : Case
    decisions : iterable
        Names of explore rows, as in `case.test_ids`. Confirm rows are refused: searching there would spoil them.
    quantity : {"confidence", "favorable_score", "loss"}
        What is averaged over the rows: the probability given to the decision that was made, the probability of the favourable
        label, or the loss of the true label.
    by : {"record", "position"}, optional
        Settles what numbers are that might be either; None takes them for names.

    Returns
    -------
    Series
        Indexed by the ids of the retained records: the signed change of the mean if that record is removed. `harmful` orders it:
        the records that hold the decisions up most come first.

    Raises
    ------
    InputError
        If no row is named, a row does not exist or is named twice, or it is kept for confirming.
    NotSupportedError
        If no attributor serves the model.

    Notes
    -----
    Costs what `influence` costs, whatever the number of rows. How near it comes is that of `influence` on a metric of scores.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn.linear_model import LogisticRegression
    >>> from core import Case, Roles, harmful
    >>> table = pd.DataFrame({"income": [1.0, 2.0, 3.0, 4.0, 1.2] * 8, "sex": ["f", "m"] * 20, "granted": [0, 0, 1, 1, 1] * 8})
    >>> model = LogisticRegression().fit(table[["income"]], table["granted"])
    >>> case = Case(model, train=table, test=table, roles=Roles("granted", 1, 1, ["sex"]), confirm=False)
    >>> causes = influence_on_decisions(case, [0], quantity="favorable_score")
    >>> int(harmful(causes)[0]) % 5
    0
    """
    check_case(case)
    check_choice("quantity", quantity, QUANTITIES)
    rows = _rows(case, _positions(case, decisions, by))
    with attributor_of(case) as attributor:
        effects = attributor.influence(case, DecisionQuantity(rows, quantity), None, EXPLORE)[case.retained]
    return pd.Series(effects, index=case.retained_ids, name=quantity)


def _positions(case: Case, decisions: Iterable[Any], by: str | None) -> Positions:
    """Return positions in the test table."""
    if by is not None:
        check_choice("by", by, ("position", "record"))
    named = isinstance(case.test_ids, pd.RangeIndex)
    if by == "record" and named:
        raise InputError(
            "Test rows have record ids only where that column is in the test table, complete and without repeats. It is not; "
            "name rows by their original position."
        )
    return Named(case.test_ids, "test row", "case.test_ids[positions]").positions(decisions, by)


def _rows(case: Case, positions: Positions) -> Positions:
    """Return positions within the explore rows; raise on confirm rows, repeats, or none at all."""
    if len(positions) == 0:
        raise InputError("At least one test row must be named. Got none; choose_decisions lists rows by kind.")
    if len(np.unique(positions)) < len(positions):
        raise InputError("Each test row must be named once. Got one twice; drop the repeats.")
    held = positions[case.confirm_mask[positions]]
    if len(held):
        raise InputError(
            f"Searches must not look at the confirm rows. Test rows {listed(case.test_ids[held])} are among them; name explore rows."
        )
    place = np.full(len(case.test), -1, dtype=np.intp)
    place[case.rows(EXPLORE)] = np.arange(len(case.rows(EXPLORE)))
    return place[positions]
