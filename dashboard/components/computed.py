"""Predictions and reasons that pages show: each made off the script thread.

None while it is not there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

import core
from core.errors import NotSupportedError
from core.metrics import METRICS
from core.typing import Feature
from dashboard import cached
from dashboard.components import computing
from dashboard.history import revision
from dashboard.jobs import Report
from dashboard.work import Work

INFLUENCE, PREVIEW, REASONS, MOVED, MODEL = "influence", "preview", "reasons", "moved", "model reasons"
MOST_MOVED = 5


def records(work: Work) -> pd.DataFrame | None:
    """Return all training records with their influence on the gap and the loss.

    Removed ones have what they had as opened.

    Raises
    ------
    NotSupportedError
        If nothing predicts influence for this model.
    """
    now, opened = cached.case(work), cached.case(work, 0)

    def make(report: Report) -> list[pd.Series[float]]:
        asked = [
            (at, one, metric) for at, one in ((None, now), (0, opened)) for metric in (work.metric, cached.loss_of(now))
        ]
        found = []
        for done, (at, one, metric) in enumerate(asked):
            report(done / len(asked), METRICS[metric].label)
            found.append(_influence(work, at, one, metric, work.feature))
        return found

    found = computing.result(
        work, INFLUENCE, "Tracing the gap to the training records", make, work.metric, work.feature
    )
    return None if found is None else cached.records_with_effects(work, found)


def _influence(work: Work, at: int | None, one: core.Case, metric: str, feature: Feature) -> pd.Series[float]:
    """Return the influence by a version's model.

    Of the case as opened, that of no record where nothing predicts it.
    """
    over = None if METRICS[metric].kind == "rate" else feature
    name = cached.name_of(work, "one influence", metric, over, at=at)
    try:
        found: pd.Series[float] = cached.results().make(
            name, lambda: core.influence(one, metric, sensitive_feature=over)
        )
    except NotSupportedError:
        if at is None:
            raise
        return pd.Series(index=one.record_ids[:0], dtype="float64")
    return found


def scores_without_selection(work: Work) -> tuple[Any, tuple[str, ...]] | None:
    """Return the scores predicted without the selected records, and warnings.

    Where these are to be edited, the scores of the edited model: an edit is as quick as a prediction, and no prediction.

    Raises
    ------
    NotSupportedError
        If nothing predicts them for this model.
    """
    case, ids, edit = cached.case(work), work.selection, work.edit
    if edit is not None:
        tried: tuple[Any, tuple[str, ...]] | None = computing.result(
            work,
            PREVIEW,
            "Trying the edit",
            lambda _: (edit.of(case, ids).case.scores("explore"), ()),
            hash(ids),
            edit,
        )
        return tried
    found: tuple[Any, tuple[str, ...]] | None = computing.result(
        work, PREVIEW, "Predicting the removal", lambda _: core.predicted_scores(case, ids), hash(ids)
    )
    return found


def record_reasons(work: Work, record: Any) -> list[pd.DataFrame] | None:
    """Return a record's reasons: by the model as opened and, if it differs, by the model now.

    Raises
    ------
    RedressError
        If there are none for this model.
    """
    models = _models(work)
    found: list[pd.DataFrame] | None = computing.result(
        work,
        REASONS,
        "Finding the reasons for the record's score",
        lambda report: _each(models, report, lambda case, part: core.reasons(case, [record], progress=part)),
        record,
    )
    return found


def model_reasons(work: Work) -> list[pd.Series[float]] | None:
    """Return how much each column counts on average.

    By the model as opened and, once something was done to it, now.

    Raises
    ------
    RedressError
        If there are no reasons for this model.
    """
    models, results = _models(work), cached.results()
    names = [(work.case_id, "mean reasons", revision(work.steps[:at])) for at in ((0, work.at) if work.at else (0,))]

    def make(report: Report) -> list[pd.Series[float]]:
        asked = dict(zip(map(id, models), names, strict=True))
        first: list[pd.Series[float]] = []

        def ask(case: core.Case, part: Report) -> pd.Series[float]:
            n = first[0].attrs["n_records"] if first else None  # The same records for every version.
            found: pd.Series[float] = results.make(
                asked[id(case)], lambda: core.mean_reasons(case, n_records=n, progress=part)
            )
            first.append(found)
            return found

        return _each(models, report, ask)

    found: list[pd.Series[float]] | None = computing.result(work, MODEL, "Finding what the model goes by", make)
    return found


def _models(work: Work) -> list[core.Case]:
    return [cached.version(work, at).case for at in ((0, work.at) if work.at else (0,))]


def _each(models: Sequence[core.Case], report: Report, ask: Any) -> list[Any]:
    found = []
    for done, case in enumerate(models):
        which = "the model as opened" if done == 0 else "the model now"

        def part(share: float, doing: str, done: int = done, which: str = which) -> None:
            report((done + share) / len(models), f"{which}, {doing}" if doing else which)

        part(0.0, "")
        found.append(ask(case, part))
    return found


def most_moved(work: Work, record: Any) -> pd.DataFrame | None:
    """Return the test rows whose score a record's removal is predicted to move most.

    Raises
    ------
    RedressError
        If nothing predicts that, or the record cannot go.
    """
    case = cached.case(work)
    found: pd.DataFrame | None = computing.result(
        work,
        MOVED,
        "Finding the decisions it moves",
        lambda _: core.moved_decisions(case, [record], most=MOST_MOVED),
        record,
    )
    return found
