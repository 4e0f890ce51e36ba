"""Decisions of a case without a threshold are those of the model's own predict, row for row."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import VotingClassifier
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.model_selection import FixedThresholdClassifier, TunedThresholdClassifierCV
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

import core
from core.errors import InputError

FEATURES = ["sex", "income"]


def lending(n: int = 900, seed: int = 0) -> pd.DataFrame:
    draw = np.random.default_rng(seed)
    table = pd.DataFrame({"sex": draw.integers(0, 2, n), "income": draw.normal(size=n)})
    granted = table["income"] + 0.6 * table["sex"] - 1.0 + 0.8 * draw.normal(size=n) > 0
    return table.assign(granted=np.where(granted, "yes", "no"))


def support_vectors() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # deprecated, and still in many files
        return SVC(probability=True, random_state=0)


MODELS = {
    "fixed": lambda: FixedThresholdClassifier(LogisticRegression(), threshold=0.3),
    "fixed for the first class": lambda: FixedThresholdClassifier(LogisticRegression(), threshold=0.4, pos_label="no"),
    "fixed on the margin": lambda: FixedThresholdClassifier(
        LogisticRegression(), threshold=0.2, response_method="decision_function"
    ),
    "tuned": lambda: TunedThresholdClassifierCV(LogisticRegression(), cv=3),
    "tuned in a pipeline": lambda: make_pipeline(
        StandardScaler(), TunedThresholdClassifierCV(LogisticRegression(), cv=3)
    ),
    "support vectors with probabilities": support_vectors,
    "calibrated": lambda: CalibratedClassifierCV(GaussianNB(), cv=3),
    "voting": lambda: VotingClassifier([("a", LogisticRegression()), ("b", GaussianNB())], voting="soft"),
    "neighbours with ties": lambda: KNeighborsClassifier(4),
    "ridge": RidgeClassifier,
}


@pytest.mark.parametrize("pos_label", ["yes", "no"])
@pytest.mark.parametrize("name", MODELS)
def test_decisions_equal_predict(name: str, pos_label: str) -> None:
    train, test = lending(), lending(700, 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = MODELS[name]().fit(train[FEATURES], train["granted"])
    case = core.Case(model, train, test, core.Roles("granted", pos_label, pos_label, ["sex"]), confirm=False)
    assert np.array_equal(case.decisions("explore"), model.predict(test[FEATURES]) == pos_label)


def test_a_tuned_threshold_follows_the_model_that_training_again_gives() -> None:
    train, test = lending(), lending(700, 1)
    model = TunedThresholdClassifierCV(LogisticRegression(), cv=3).fit(train[FEATURES], train["granted"])
    case = core.Case(model, train, test, core.Roles("granted", "yes", "yes", ["sex"]), confirm=False)
    after = core.unlearn(case, train.index[train["sex"] == 0][:150]).case
    assert np.array_equal(after.decisions("explore"), after.model.predict(test[FEATURES]) == "yes")


class Contrary(ClassifierMixin, BaseEstimator):
    """Predicts the opposite of what its probabilities say."""

    def fit(self, X: pd.DataFrame, y: pd.Series[Any]) -> Contrary:
        self.inside_ = LogisticRegression().fit(X, y)
        self.classes_, self.n_features_in_ = self.inside_.classes_, X.shape[1]
        self.feature_names_in_ = self.inside_.feature_names_in_
        return self

    def predict_proba(self, X: pd.DataFrame) -> Any:
        return self.inside_.predict_proba(X)

    def predict(self, X: pd.DataFrame) -> Any:
        return self.classes_[1 - self.predict_proba(X).argmax(axis=1)]


def test_a_model_that_decides_otherwise_than_it_scores_is_refused_unless_a_threshold_is_given() -> None:
    train, test = lending(), lending(700, 1)
    model = Contrary().fit(train[FEATURES], train["granted"])
    roles = core.Roles("granted", "yes", "yes", ["sex"])
    with pytest.raises(InputError, match=r"Contrary decides 700 of 700 test rows otherwise"):
        core.Case(model, train, test, roles, confirm=False)
    assert core.Case(model, train, test, roles, threshold=0.5, confirm=False).cut("explore") == 0.5
