"""Trying a model on few rows before it scores all of them.

One that takes too long is refused and not waited for.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from math import inf
from threading import Thread
from typing import Any

import pandas as pd

from core.case.door import check_columns, check_model, check_tables, resolve_features
from core.case.group_thresholds import scorer
from core.case.roles import Roles
from core.case.scoring import model_rows, score_kind
from core.errors import LimitError
from core.files.tables.limits import ModelLimits

TELLING_S = 0.5
"""A trial this long tells how long all rows will take."""
GROWTH = 8
LOOK_S = 0.1
LIMITS = ModelLimits()


def expected_seconds(
    model: Any,
    train: pd.DataFrame,
    test: pd.DataFrame,
    roles: Roles,
    *,
    limits: ModelLimits | None = None,
    looking: Callable[[], None] | None = None,
) -> float:
    """Return about how long a model takes to score the test rows.

    Refuse one that takes longer than its limit.

    Costs at most a seventh of scoring all rows, or what the slowest trial takes.

    Parameters
    ----------
    model, train, test, roles
        As for a `Case`.
    limits : ModelLimits, optional
        Gives the limit, `max_seconds`.
    looking : callable, optional
        Called again and again meanwhile; may raise to cancel.

    Raises
    ------
    LimitError
        If a trial takes longer than the limit, or all rows would.
    InputError
        If model, tables and roles do not fit. Rows that the model cannot score are left to `Case`.

    Notes
    -----
    Trials grow eightfold from one row until one takes half a second; two of them tell the time of a row from that of a call. One by which a
    model would be refused is made again, as the processor may have been busy. Each runs on
    a thread of its own: a call of scikit-learn cannot be ended from outside, and one that does not come back in time is left behind.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> table = pd.DataFrame({"income": [1.0, 2.0, 3.0, 4.0] * 5, "sex": ["f", "m"] * 10, "granted": [0, 0, 1, 1] * 5})
    >>> model = LogisticRegression().fit(table[["income"]], table["granted"])
    >>> expected_seconds(model, table, table, Roles("granted", 1, 1, ["sex"])) < 5.0
    True
    """
    limits = limits or LIMITS
    check_tables(train, test)
    check_model(model)
    names = resolve_features(model, train, roles)
    check_columns(test, names, what="Every column the model needs", where="test")
    n, before = 1, (0, 0.0)
    while True:
        rows = model_rows(model, test[list(names)].iloc[:n])
        expected, took = inf, inf
        for _ in range(1 if n == 1 else 2):
            if expected > limits.max_seconds:
                took = min(took, _trial(model, rows, limits, looking or _not_looking))
                expected = took + max(took - before[1], 0.0) / (n - before[0]) * (len(test) - n)
        if n * GROWTH >= len(test) or (n > 1 and took > TELLING_S):
            break
        n, before = n * GROWTH, (n, took)
    if n > 1 and expected > limits.max_seconds:
        raise _too_slow(
            limits, f"{n:,} rows took {took:.3g} s, so that all {len(test):,} would take about {expected:,.0f} s"
        )
    return expected


def _trial(model: Any, rows: Any, limits: ModelLimits, looking: Callable[[], None]) -> float:
    """Return the seconds that scoring some rows takes."""
    estimator = scorer(model)
    score = estimator.predict_proba if score_kind(model) == "probability" else estimator.decision_function

    def work() -> None:
        with suppress(Exception):
            score(rows)

    start = time.perf_counter()
    thread = Thread(target=work, daemon=True)
    thread.start()
    while thread.is_alive():
        thread.join(LOOK_S)
        looking()
        if time.perf_counter() - start > limits.max_seconds:
            raise _too_slow(limits, f"{len(rows):,} took longer already")
    return time.perf_counter() - start


def _too_slow(limits: ModelLimits, got: str) -> LimitError:
    return LimitError(
        f"A model must score the test rows within {limits.max_seconds:g} s. {got[0].upper()}{got[1:]}; hand in fewer test rows or a smaller model."
    )


def _not_looking() -> None:
    """Look at nothing."""
