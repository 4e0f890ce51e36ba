"""Really removing the records of a rule, and measuring what that did."""

from __future__ import annotations

import numpy as np
import pandas as pd

from core.actions.influence import attributor_of
from core.actions.unlearn import unlearn, unlearners_for
from core.case.case import Case
from core.errors import NotSupportedError
from core.metrics.compare import compare
from core.rules.explanation import Subset, badness
from core.rules.rule import Rule
from core.rules.steady import Steady
from core.typing import Positions
from core.unlearning.base import Guarantee

Feature = str | tuple[str, ...]

AGAIN = "Verified by training the model again without these records"
BESIDE_A_PREVIEW = {
    "newton": "Verified by Newton steps to the certified optimum without these records; a preview stops them earlier, so that single decisions "
    "may differ.",
    "forest": "Verified by removing these records from every tree, as a preview does where that takes seconds; on larger tables a preview keeps "
    "most trees' splits and may give another figure.",
}
"""By how records were removed: what tells a verified change from a preview of the same records."""


def removal_method(case: Case) -> str:
    """Return how records are removed to confirm a rule: as quickly as exactness or a certificate allows, else by refitting."""
    first = unlearners_for(case)[0]
    return "refit" if first.guarantee is Guarantee.APPROXIMATE else "auto"


def beside_a_preview(case: Case, method: str) -> str:
    """Return one sentence on how removing records by a method verified their change, and whether a preview may give another."""
    try:
        with attributor_of(case):
            pass
    except NotSupportedError:
        return f"{AGAIN if method == 'refit' else 'Verified by really removing these records'}; there is no preview for this model."
    if method in BESIDE_A_PREVIEW:
        return BESIDE_A_PREVIEW[method]
    if unlearners_for(case)[0].name == method:
        return f"{AGAIN}, as a preview does."
    return (
        f"{AGAIN}; a preview keeps the structure the model has and predicts the change, so it may give another figure."
    )


def confirm(rule: Rule, steady: Steady, *, survives: bool, method: str, seed: int) -> Subset | None:
    """Remove the records of a rule and return what that did; None where the gap is no smaller, or is no longer defined.

    Raises
    ------
    InputError
        If the records cannot be removed.
    """
    case, metric, on = steady.outcome.case, steady.outcome.metric.name, steady.outcome.on
    feature, positions = steady.extremes.feature, np.flatnonzero(case.retained)[rule.rows]
    forget = case.record_ids[positions]
    result = unlearn(case, forget, method=method)
    row = compare(case, result.case, on, metric, features=[feature], seed=seed).iloc[0]
    if not badness(metric, row["after"]) < badness(metric, row["before"]):
        return None
    return Subset(
        conditions=rule.conditions,
        forget=forget,
        support=len(forget) / case.n_retained,
        metric=metric,
        before=float(row["before"]),
        after=float(row["after"]),
        predicted=rule.predicted,
        change=float(row["change"]),
        low=float(row["low"]),
        high=float(row["high"]),
        reversed=bool(row["reversed"]),
        levels_down=steady.levels_down(result.case),
        p_value=rule.p_value,
        q_value=rule.q_value,
        survives=survives,
        make_up=_make_up(case, feature, positions),
        sensitive=tuple(one.column for one in rule.conditions if one.column in case.roles.sensitive_features),
        method=result.method,
        guarantee=result.guarantee.value,
        beside_a_preview=beside_a_preview(case, result.method),
        notes=result.notes,
    )


def _make_up(case: Case, feature: Feature, positions: Positions) -> pd.DataFrame:
    """Return the records of a rule by group and label, and their share of all retained ones of that kind."""
    groups = case.groups(feature, "train")
    names = np.array(groups.names, dtype=object)
    kinds = pd.DataFrame({"group": names[groups.codes], "label": case.train_labels})
    whole = kinds[case.retained].value_counts()
    own = kinds.iloc[positions].value_counts().reindex(whole.index, fill_value=0)
    return pd.DataFrame({"n": own, "share": own / whole}).sort_index()
