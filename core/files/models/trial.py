"""The first scoring of given rows, in a child, before any other process uses the model.

One that breaks compiled code or takes too long is refused; nothing of it is left behind.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from math import inf
from typing import Any

import numpy as np
import pandas as pd

from core.case.door import check_columns, check_model, check_tables, resolve_features
from core.case.group_thresholds import scorer
from core.case.roles import Roles
from core.case.scoring import model_rows, score_kind
from core.errors import LimitError
from core.files.models.building.checked import open_checked
from core.files.models.child import LIMITS as CHILD_LIMITS
from core.files.models.child import in_child
from core.files.models.isolation.frames import pack_frame, unpack_frame
from core.files.models.opening import ModelFile
from core.files.tables.limits import ModelLimits
from core.typing import Floats

TELLING_S = 0.5
"""A trial this long tells how long all rows will take."""
GROWTH = 8
PIECE_S = 2.0
REST_S = 15.0
"""Time for scoring rows beyond the trials."""
MOST_CELLS = 10_000_000
MOST_KEPT = 20_000
LIMITS = ModelLimits()


@dataclass(frozen=True)
class FirstScoring:
    """Findings of the first scoring.

    Parameters
    ----------
    seconds : float
        About how long scoring all test rows takes.
    n_scored : int
        How many rows were scored, test rows first, then training rows.
    scores : array of shape (n,) or (n, n_classes), or None
        Probabilities, or values of the decision function, of the first test rows. None where the model could not score them.
    """

    seconds: float
    n_scored: int
    scores: Floats | None


def first_scoring(
    opened: ModelFile,
    train: pd.DataFrame,
    test: pd.DataFrame,
    roles: Roles,
    *,
    limits: ModelLimits | None = None,
    looking: Callable[[], None] | None = None,
) -> FirstScoring:
    """Score given rows in a child process, and tell about how long all test rows take.

    Costs about what scoring the test rows costs, once more; of many rows those that are scored within seconds.

    Parameters
    ----------
    opened : ModelFile
        The model as `read_model` returns it.
    train, test, roles
        As for a `Case`.
    limits : ModelLimits, optional
        Gives the limit, `max_seconds`, for scoring all test rows.
    looking : callable, optional
        Called again and again meanwhile; may raise to cancel.

    Returns
    -------
    FirstScoring

    Raises
    ------
    LimitError
        If a trial takes longer than the limit, or all rows would.
    InputError
        If model, tables and roles do not fit, or scoring breaks the child. Rows that the model refuses are left to `Case`.
    """
    limits = limits or LIMITS
    check_tables(train, test)
    check_model(opened.model)
    features = resolve_features(opened.model, train, roles)
    check_columns(test, features, what="Every column the model needs", where="test")
    names = list(features)
    most = max(MOST_CELLS // max(len(names), 1), 1)
    parts = [test[names].iloc[:most], train[names].iloc[: max(most - len(test), 0)]]
    found = in_child(
        "core.files.models.trial:score_first",
        {
            "model": opened.data,
            "rows": [pack_frame(part) for part in parts],
            "n_test": len(test),
            "limits": asdict(limits),
        },
        what="A model must score the given rows",
        limits=replace(CHILD_LIMITS, max_seconds=min(CHILD_LIMITS.max_seconds, limits.max_seconds + REST_S)),
        looking=looking,
    )
    return FirstScoring(**found)


def score_first(payload: dict[str, Any]) -> dict[str, Any]:
    """Do in the child what `first_scoring` asks."""
    limits = ModelLimits(**payload["limits"])
    model = open_checked(payload["model"])
    estimator = scorer(model)
    respond = estimator.predict_proba if score_kind(model) == "probability" else estimator.decision_function
    seconds, n_scored, scores = inf, 0, None
    for place, packed in enumerate(payload["rows"]):
        table = unpack_frame(packed)

        def score(first: int, last: int, table: pd.DataFrame = table) -> Any:
            with np.errstate(all="ignore"):
                return respond(model_rows(model, table.iloc[first:last]))

        if place == 0:
            seconds = expected_seconds(score, len(table), payload["n_test"], limits)
        done, kept = _score_all(score, len(table), limits)
        n_scored += done
        scores = kept if place == 0 else scores
    return {"seconds": seconds, "n_scored": n_scored, "scores": scores}


def _score_all(score: Callable[[int, int], Any], n: int, limits: ModelLimits) -> tuple[int, Floats | None]:
    """Score rows piece by piece until their time is over.

    Return how many were scored, and the scores of the first ones.
    """
    until = time.perf_counter() + min(REST_S, limits.max_seconds)
    done, step, kept = 0, MOST_KEPT, None
    while done < n and time.perf_counter() < until:
        start = time.perf_counter()
        try:
            scores = np.asarray(score(done, min(done + step, n)), dtype=np.float64)
        except MemoryError:
            raise
        except Exception:  # rows that the model refuses are the case's to tell
            return done, kept
        kept = scores if done == 0 else kept
        done = min(done + step, n)
        if time.perf_counter() - start < PIECE_S:
            step *= 2
    return done, kept


def expected_seconds(score: Callable[[int, int], Any], n: int, total: int, limits: ModelLimits) -> float:
    """Return about how long all rows take to score.

    Costs at most a seventh of scoring all rows, or what the slowest trial takes.

    Parameters
    ----------
    score : callable
        Scores rows from a first to a last; where it raises, that is passed over.
    n : int
        How many rows there are to try.
    total : int
        How many rows there are in all.
    limits : ModelLimits
        Gives the limit, `max_seconds`.

    Raises
    ------
    LimitError
        If all rows would take longer than the limit.

    Notes
    -----
    Trials grow eightfold from one row until one takes half a second; two of them tell the time of a row from that of a call. One by which a
    model would be refused is made again, as the processor may have been busy.

    Examples
    --------
    >>> expected_seconds(lambda first, last: None, 1_000, 1_000, ModelLimits()) < 5.0
    True
    """
    size, before = 1, (0, 0.0)
    while True:
        expected, took = inf, inf
        for _ in range(1 if size == 1 else 2):
            if expected > limits.max_seconds:
                took = min(took, _timed(score, size))
                expected = took + max(took - before[1], 0.0) / (size - before[0]) * (total - size)
        if size * GROWTH >= n or (size > 1 and took > TELLING_S):
            break
        size, before = size * GROWTH, (size, took)
    if size > 1 and expected > limits.max_seconds:
        raise _too_slow(
            limits, f"{size:,} rows took {took:.3g} s, so that all {total:,} would take about {expected:,.0f} s"
        )
    if took > limits.max_seconds:
        raise _too_slow(limits, f"{size:,} row{'s' if size > 1 else ''} took {took:.3g} s")
    return expected


def _timed(score: Callable[[int, int], Any], n: int) -> float:
    start = time.perf_counter()
    try:
        score(0, n)
    except MemoryError:
        raise
    except Exception:  # rows that the model refuses are the case's to tell
        return time.perf_counter() - start
    return time.perf_counter() - start


def _too_slow(limits: ModelLimits, got: str) -> LimitError:
    return LimitError(
        f"A model must score the test rows within {limits.max_seconds:g} s. {got[0].upper()}{got[1:]}; hand in fewer test rows or a smaller model."
    )
