"""The decisions that removing records moves most."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from core.case.case import Case
from core.errors import whole_number
from core.former import formerly
from core.records.groups import predicted_scores


@formerly("on", "most")
def moved_decisions(case: Case, forget: Iterable[Any], *, on: str = "explore", most: int = 10) -> pd.DataFrame:
    """Return the test rows whose score a removal is predicted to move most.

    Costs one `predicted_scores`.

    Parameters
    ----------
    case : Case
    forget : iterable
        Record ids.
    on : {"explore", "test"}
        "confirm" is refused.
    most : int
        How many rows at most.

    Returns
    -------
    DataFrame
        Indexed by the rows' names, as in `case.test_ids`, largest change first: ``label``, ``score`` and ``score_without`` of
        `pos_label`, ``change``, and the decisions ``decided`` and ``decided_without`` as classes of the model; ``attrs["notes"]`` are the notes
        of `predicted_scores`.

    Raises
    ------
    InputError
        If `most` is no whole number of at least 1, or an id is unknown, repeated or removed already, or a whole class would go.
    NotSupportedError
        If no attributor serves the model.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn.linear_model import LogisticRegression
    >>> from core import Case, Roles, moved_decisions
    >>> table = pd.DataFrame({"income": [1.0, 2.0, 3.0, 4.0, 5.0] * 8, "sex": ["f", "m"] * 20, "granted": [0, 1, 0, 1, 1] * 8})
    >>> model = LogisticRegression().fit(table[["income"]], table["granted"])
    >>> case = Case(model, train=table, test=table, roles=Roles("granted", 1, 1, ["sex"]))
    >>> moved_decisions(case, [0, 1], most=3).shape
    (3, 6)
    """
    most = whole_number("most", most)
    without, notes = predicted_scores(case, forget, on=on)
    now, rows = case.scores(on), case.rows(on)
    first = np.argsort(-np.abs(without - now), kind="stable")[:most]
    table = pd.DataFrame(
        {
            "label": case.test[case.roles.target].iloc[rows[first]].array,
            "score": now[first],
            "score_without": without[first],
            "change": without[first] - now[first],
            "decided": _outcomes(case, case.decisions(on)[first]),
            "decided_without": _outcomes(case, case.decide(without)[first]),
        },
        index=case.test_ids[rows[first]],
    )
    table.attrs["notes"] = notes
    return table


def _outcomes(case: Case, positive: Any) -> Any:
    """Return decisions as the model's classes.

    Of several others than `pos_label`, by what they are not.
    """
    others = [label for label in case.classes if label != case.roles.pos_label]
    other = others[0] if len(others) == 1 else f"not {case.roles.pos_label}"
    return [case.roles.pos_label if hit else other for hit in positive]
