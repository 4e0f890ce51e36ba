"""KLoM: the divergence by hand, what it says of a removal that happened and of one that did not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression

import core
from core.errors import InputError, NotSupportedError
from core.verification.klom import EPSILON, divergence


def make_case(model: object) -> core.Case:
    draw = np.random.default_rng(0)
    X = pd.DataFrame(draw.normal(size=(500, 4)), columns=list("abcd"))
    table = X.assign(sex=draw.choice(["f", "m"], 500), y=((X["a"] > 0) ^ (draw.random(500) < 0.25)).astype(int))
    model.fit(table[list("abcd")][:300], table["y"][:300])
    return core.Case(model, table[:300], table[300:].reset_index(drop=True), core.Roles("y", 1, 1, ["sex"]))


def test_the_divergence_is_that_of_histograms() -> None:
    p, q = np.array([[0.0], [0.0], [1.0], [1.0]]), np.array([[0.0], [1.0], [1.0], [1.0]])
    low, high = (0.5 + EPSILON) / (1 + 20 * EPSILON), (0.25 + EPSILON) / (1 + 20 * EPSILON)
    third = (0.75 + EPSILON) / (1 + 20 * EPSILON)
    assert divergence(p, q) == pytest.approx(low * np.log(low / high) + low * np.log(low / third))
    assert divergence(p, p) == pytest.approx(0.0)
    assert divergence(np.full((20, 1), 1e9), np.full((20, 1), 100.0)) == pytest.approx(0.0), "margins are clipped"


def test_unlearned_forests_are_as_far_as_trainings_are_and_others_farther() -> None:
    case = make_case(RandomForestClassifier(10, random_state=0))
    result = core.unlearn(case, case.record_ids[:60])
    found = core.klom(result, n_models=20)
    table = found.to_frame()["mean"]
    assert table["forgotten", "unlearned"] < 1.3 * table["forgotten", "trained again"]
    assert table["forgotten", "not unlearned"] > 1.5 * table["forgotten", "trained again"]
    assert table["test", "unlearned"] < 1.3 * table["test", "trained again"]
    assert "nats unlearned" in repr(found)


def test_what_cannot_be_compared_is_refused() -> None:
    case = make_case(LogisticRegression(random_state=0))
    with pytest.raises(NotSupportedError, match="same model with every seed"):
        core.klom(core.unlearn(case, [0, 1]))
    forest = make_case(RandomForestClassifier(3, random_state=0))
    gone = core.unlearn(forest, [0])
    with pytest.raises(InputError, match="20 or more"):
        core.klom(gone, n_models=5)
    with pytest.raises(InputError, match="forgot no record"):
        core.klom(replace(gone, case=gone.before))
