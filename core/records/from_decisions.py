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
from core.case.records import nearest_id
from core.errors import InputError, InputTypeError, NotSupportedError, listed, nearest
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
) -> Positions:
    """Return the explore rows whose decisions are of one kind.

    Parameters
    ----------
    case : Case
    kind : {"wrong", "refused", "granted", "wrongly_refused", "wrongly_granted", "all"}
        "refused" is the decision against the favourable label; "wrongly" that the label says otherwise.
    sensitive_feature, group : str, optional
        Only rows of this group; of the case's first sensitive feature where none is named.

    Returns
    -------
    ndarray of int
        Positions in the test table; empty where there are none.

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
    rows: Positions = case.rows(EXPLORE)[wanted]
    return rows


@formerly("quantity")
def influence_on_decisions(
    case: Case, decisions: Iterable[Any], *, quantity: str = "confidence", by: str = "position"
) -> pd.Series[float]:
    """Predict what removing each training record would do to some decisions on test rows: which of them caused these.

    Parameters
    ----------
    case : Case
    decisions : iterable
        Explore rows, as positions in the test table or as their record ids. Confirm rows are refused: searching there would spoil
        them.
    quantity : {"confidence", "favorable_score", "loss"}
        What is averaged over the rows: the probability given to the decision that was made, the probability of the favourable
        label, or the loss of the true label.
    by : {"position", "record"}
        What `decisions` names; record ids need their column in the test table.

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


def _positions(case: Case, decisions: Iterable[Any], by: str) -> Positions:
    """Return positions in the test table."""
    if not isinstance(decisions, Iterable) or isinstance(decisions, str):
        raise InputTypeError(f"Test rows must be given as a list. Got {decisions!r} instead; write [{decisions!r}].")
    check_choice("by", by, ("position", "record"))
    if by == "record":
        return _of_records(case, list(decisions))
    wanted = np.asarray(list(decisions))
    if len(wanted) and wanted.dtype.kind not in "iu":
        raise InputTypeError(
            f"Test rows must be whole numbers. Got {listed(wanted[:1])}; give positions in the test table, or by='record'."
        )
    outside = wanted[(wanted < 0) | (wanted >= len(case.test))] if len(wanted) else wanted
    if len(outside):
        raise InputError(
            f"Test rows must be positions from 0 to {len(case.test) - 1:,} in the test table. Got {listed(outside)}."
        )
    return wanted.astype(np.intp)


def _of_records(case: Case, ids: list[Any]) -> Positions:
    column = case.roles.record_id
    if column is None or column not in case.test.columns:
        raise InputError(
            "Test rows have ids only where the record id column is in the test table, too. It is not; give positions."
        )
    known = pd.Index(case.test[column])
    if known.has_duplicates:
        raise InputError(f"Ids of test rows must be unique. {column!r} repeats some in the test table; give positions.")
    found = known.get_indexer(pd.Index(ids))
    unknown = [one for one, position in zip(ids, found, strict=True) if position < 0]
    if unknown:
        raise InputError(
            f"Every id must be one of a test row. Unknown: {listed(unknown)}.{nearest_id(unknown[0], known)}"
        )
    return np.asarray(found, dtype=np.intp)


def _rows(case: Case, positions: Positions) -> Positions:
    """Return positions within the explore rows; raise on confirm rows, repeats, or none at all."""
    if len(positions) == 0:
        raise InputError("At least one test row must be named. Got none; choose_decisions lists rows by kind.")
    if len(np.unique(positions)) < len(positions):
        raise InputError("Each test row must be named once. Got one twice; drop the repeats.")
    held = positions[case.confirm_mask[positions]]
    if len(held):
        raise InputError(
            f"Searches must not look at the confirm rows. Test rows {listed(held)} are among them; name explore rows."
        )
    place = np.full(len(case.test), -1, dtype=np.intp)
    place[case.rows(EXPLORE)] = np.arange(len(case.rows(EXPLORE)))
    return place[positions]
