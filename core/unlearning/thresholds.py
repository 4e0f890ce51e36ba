"""Thresholds of groups, chosen anew on the rows that stay."""

from __future__ import annotations

from typing import Any

from core.case.case import Case
from core.case.group_thresholds import with_thresholds
from core.errors import InputError, listed
from core.typing import Bools
from core.unlearning.base import model_input


def thresholds_on(case: Case, retained: Bools, model: Any, estimator: Any) -> Any:
    """Return the ThresholdOptimizer around another estimator, its thresholds chosen anew.

    They are chosen on the retained rows.

    Raises
    ------
    InputError
        If a group of the test rows has no retained record, or none of one label.
    """
    groups = case.deciding_groups("train")[retained]
    gone = sorted(set(case.deciding_groups("test")) - set(groups), key=str)
    if gone:
        raise InputError(
            f"Every group of the test rows must keep training records, or it has no thresholds. This request leaves none of "
            f"{listed(gone)}; forget fewer."
        )
    return with_thresholds(model, estimator, model_input(case, retained), case.train_codes[retained], groups)
