"""The decisions that removing records moves, and what the model goes by."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import GradientBoostingClassifier, HistGradientBoostingClassifier

import core
from core.errors import InputError


def test_moved_decisions_are_those_of_the_model_without_the_records(small_case: core.Case) -> None:
    forget = list(small_case.record_ids[:40])
    table = core.moved_decisions(small_case, forget, most=7)
    scores = core.predicted_scores(small_case, forget)[0]
    change = scores - small_case.scores("explore")
    assert len(table) == 7
    assert table["change"].abs().is_monotonic_decreasing
    assert table["change"].abs().iloc[0] == np.abs(change).max()
    at = {row: place for place, row in enumerate(small_case.test_ids[small_case.rows("explore")])}
    places = [at[row] for row in table.index]
    np.testing.assert_array_equal(table["score_without"], scores[places])
    decided = np.where(small_case.decide(scores)[places], 1, 0)
    np.testing.assert_array_equal(table["decided_without"], decided)
    with pytest.raises(core.RedressError, match="confirm"):
        core.moved_decisions(small_case, forget, on="confirm")
    for wrong in ("a", 0, None):
        with pytest.raises(InputError, match="`most` must be a whole number of at least 1"):
            core.moved_decisions(small_case, forget, most=wrong)


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (HistGradientBoostingClassifier(max_iter=5, early_stopping=True, random_state=0), "are held back for early"),
        (HistGradientBoostingClassifier(max_iter=5, early_stopping=False, random_state=0), ""),
        (GradientBoostingClassifier(n_estimators=3, n_iter_no_change=2, random_state=0), "are held back for early"),
        (
            GradientBoostingClassifier(n_estimators=3, subsample=0.5, random_state=0),
            "each part of the model learns from",
        ),
    ],
)
def test_what_training_again_draws_anew_is_said_beside_what_it_moves(
    small_case: core.Case, model: Any, words: str
) -> None:
    train, columns = small_case.train, ["age", "debt"]
    case = core.Case(model.fit(train[columns], train["granted"]), train, small_case.test, small_case.roles)
    notes = core.moved_decisions(case, ["p3"], most=2).attrs["notes"]
    assert notes == core.predicted_scores(case, ["p3"])[1]
    told = [note for note in notes if "draws anew which rows" in note]
    assert len(told) == bool(words)
    assert all(words in note for note in told)


def test_mean_reasons_are_the_mean_of_reasons_over_the_same_records(small_case: core.Case) -> None:
    seen: list[float] = []
    means = core.mean_reasons(small_case, n_records=50, seed=3, progress=lambda share, _: seen.append(share))
    drawn = np.sort(np.random.default_rng(3).choice(1500, 50, replace=False))
    truth = core.reasons(small_case, small_case.record_ids[drawn]).abs().mean()
    pd.testing.assert_series_equal(means.sort_index(), truth.sort_index(), check_names=False)
    assert means.is_monotonic_decreasing
    assert means.attrs["n_records"] == 50
    assert seen == [0.0]
    for wrong in (0, "5", 2.5):
        with pytest.raises(InputError, match=r"`n_records` must be a whole number of at least 1"):
            core.mean_reasons(small_case, n_records=wrong)
