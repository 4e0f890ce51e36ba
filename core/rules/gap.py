"""The gap to explain: whether there is one, and whether it is more than chance."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from core.case.case import Case
from core.errors import InputError
from core.metrics.audit import audit
from core.metrics.samples import feature_name
from core.rules.explanation import badness

NOTHING = 1e-12
"""A gap no larger is none."""


class Gap(NamedTuple):
    """A metric that differs between groups, the p-value of its permutation test, and what to know about it."""

    value: float
    p_value: float
    notes: tuple[str, ...]


def gap_to_explain(case: Case, metric: str, feature: str | tuple[str, ...], on: str, *, q: float, seed: int) -> Gap:
    """Return the gap.

    Raises
    ------
    InputError
        If it is undefined, or zero.
    """
    name = feature_name(feature)
    row = audit(case, [metric], on, features=[feature], seed=seed).gaps.iloc[0]
    value, p_value, left_out = float(row["value"]), float(row["p_value"]), str(row["left_out"])
    if not np.isfinite(value):
        raise InputError(
            f"There must be a gap to explain. {metric!r} of {name!r} is undefined on the {on} rows: it is taken over records that too "
            f"few groups have{f' (not: {left_out})' if left_out else ''}; choose another metric or feature."
        )
    if badness(metric, value) <= NOTHING:
        raise InputError(
            f"There must be a gap to explain. {metric!r} of {name!r} is {value:.3g} on the {on} rows, which is none; choose another "
            "metric or feature."
        )
    notes = [f"The gap leaves out groups without the records it is taken over: {left_out}."] if left_out else []
    if p_value > q:
        notes.append(f"The gap itself may be chance (p = {p_value:.4f}), so no rule counts as a discovery.")
    return Gap(value, p_value, tuple(notes))
