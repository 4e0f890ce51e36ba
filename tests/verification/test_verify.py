"""Proofs that records were forgotten, and that they catch models that did not forget."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

import core
from core.unlearning.base import UnlearnResult
from core.verification.membership import areas_of
from core.verification.residue import arrays_of, residue

COLUMNS = list("abcde")
ROLES = core.Roles("y", 1, 1, ["sex"], features=COLUMNS)


def noisy(rows: int, seed: int) -> pd.DataFrame:
    """Return a table in which a fifth of the labels are turned."""
    draw = np.random.default_rng(seed)
    x = draw.normal(size=(rows, 5))
    y = (x[:, 0] + 0.5 * x[:, 1] > 0) ^ (draw.random(rows) < 0.2)
    return pd.DataFrame(x, columns=COLUMNS).assign(sex=draw.choice(["f", "m"], rows), y=y.astype(int))


def removed(model: Any, n: int = 150) -> UnlearnResult:
    train, test = noisy(900, 1), noisy(1200, 2)
    case = core.Case(model.fit(train[COLUMNS], train["y"]), train=train, test=test, roles=ROLES)
    return core.unlearn(case, case.record_ids[:n])


def not_done(result: UnlearnResult) -> UnlearnResult:
    """Return a removal that only says it was one."""
    return replace(result, case=result.case.replace(result.before.model, result.case.retained))


MODELS = {
    "logistic": lambda: make_pipeline(StandardScaler(), LogisticRegression(C=10.0)),
    "bayes": GaussianNB,
    "neighbors": lambda: make_pipeline(StandardScaler(), KNeighborsClassifier(5)),
    "svm": lambda: make_pipeline(StandardScaler(), SVC(kernel="rbf")),
    "forest": lambda: RandomForestClassifier(40, random_state=0),
}


@pytest.mark.parametrize("name", MODELS)
def test_a_removal_is_proven_and_one_that_is_none_is_caught(name: str) -> None:
    result = removed(MODELS[name]())
    proof, caught = core.verify(result), core.verify(not_done(result))
    assert proof.verdict == "forgotten", proof
    assert proof.left < 0.3
    assert proof.residue.clean
    assert caught.verdict == "not_forgotten", caught
    assert caught.left == pytest.approx(1.0)
    assert set(proof.to_dict()) >= {"verdict", "left", "membership", "residue", "retrain_gap"}


def test_a_pure_forest_remembers_before_and_not_after() -> None:
    result = removed(MODELS["forest"]())
    loss, ratio = core.verify(result).membership
    assert loss.before.value > 0.8
    assert ratio.before.value > 0.85
    assert loss.verdict == "forgotten"
    assert loss.null.value == pytest.approx(0.5, abs=0.06)
    assert core.verify(not_done(result)).membership[0].verdict == "remembered"


@pytest.mark.parametrize("name", ["neighbors", "svm"])
def test_models_that_store_rows_hold_them_until_trained_again(name: str) -> None:
    result = removed(MODELS[name]())
    assert result.method == "refit"
    assert not residue(not_done(result).case).clean
    assert residue(result.case).clean


def test_a_row_that_equals_a_retained_one_is_no_residue() -> None:
    train = pd.concat([noisy(300, 1), noisy(300, 1).iloc[:20]], ignore_index=True)
    model = KNeighborsClassifier(3).fit(train[COLUMNS], train["y"])
    case = core.Case(model, train=train, test=noisy(100, 2), roles=ROLES)
    twins = case.record_ids[300:]
    assert residue(core.unlearn(case, twins).case).clean


def test_few_records_are_too_few_to_tell() -> None:
    proof = core.verify(removed(GaussianNB(), 10))
    assert [one.verdict for one in proof.membership] == ["too_few", "too_few"]
    assert proof.verdict == "forgotten", "by the distance to the retrained model"


def test_areas_are_those_of_scikit_learn() -> None:
    draw = np.random.default_rng(0)
    inside, outside = draw.integers(0, 9, 60).astype(float), draw.integers(0, 7, 80).astype(float)
    area, of_inside, of_outside = areas_of(inside, outside)
    labels = np.r_[np.ones(60), np.zeros(80)]
    assert area == pytest.approx(roc_auc_score(labels, np.r_[inside, outside]))
    assert of_inside.mean() == pytest.approx(area)
    assert of_outside.mean() == pytest.approx(area)


def test_arrays_inside_compiled_objects_are_reached() -> None:
    train = noisy(50, 1)
    model = KNeighborsClassifier(3, algorithm="kd_tree").fit(train[COLUMNS], train["y"])
    del model._fit_X
    assert any(getattr(array, "shape", ()) == (50, 5) for _, array in arrays_of(model))


def test_what_is_no_removal_is_refused() -> None:
    result = removed(GaussianNB())
    with pytest.raises(core.RedressError, match="must be what core"):
        core.verify(result.case)  # type: ignore[arg-type]
    with pytest.raises(core.RedressError, match="Nothing was"):
        core.verify(core.refit(result.case))
