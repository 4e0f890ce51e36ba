"""Labels tell neighbouring rules apart, where a linear model's influence cannot."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import core
from core.actions.influence import attributor_of
from core.attribution.base import Fitted
from core.numerics.linear.logistic import sigmoid
from core.rules.labels import Labels
from sample_data.fraud import make

GAP = "false_positive_rate_difference"


@pytest.fixture(scope="module")
def fraud() -> core.Case:
    planted = make.make_fraud(0)
    columns = make_column_transformer((StandardScaler(), make.NUMBERS), (OneHotEncoder(), make.CATEGORIES))
    model = make_pipeline(columns, LogisticRegression(solver="newton-cholesky", tol=1e-10))
    model.fit(planted.train[make.NUMBERS + make.CATEGORIES], planted.train["fraud"])
    return core.prepare(core.Case(model, planted.train, planted.test, make.ROLES, seed=0))


def test_the_planted_rule_comes_before_its_neighbours(fraud):
    columns = ["segment", "merchant_months", "distance_km", "device_days"]
    found = core.explain_gap(fraud, GAP, max_predicates=2, top_k=1, columns=columns, expected=True)[0]
    assert found.rule == "segment = 'electronics' and merchant_months < 12"
    assert found.forget.equals(fraud.record_ids[make.in_rule(fraud.train)])
    assert found.verified < -0.3
    assert found.helps
    assert found.this_group


def test_labels_are_oddest_where_they_were_made_wrong(fraud):
    with attributor_of(fraud) as attributor:
        labels = Labels(attributor.fitted(fraud), 100)
    table = fraud.train
    planted, young = make.in_rule(table), table["merchant_months"].lt(12)
    far = table["distance_km"].ge(21.4)

    def oddity(mask: object) -> float:
        return labels.oddity(np.flatnonzero(mask), 2)

    assert oddity(planted) > 2.0 * max(oddity(young & far), oddity(young), oddity(table["segment"].eq("electronics")))
    assert oddity(planted) > oddity(planted & ~far)


def test_a_longer_description_must_earn_its_length():
    draw = np.random.default_rng(0)
    predictor = draw.normal(size=2000)
    y = (draw.random(2000) < sigmoid(predictor)).astype(float)
    labels = Labels(Fitted(predictor, y, np.ones(2000)), 200)
    rows = [np.flatnonzero(draw.random(2000) < 0.1) for _ in range(50)]
    assert all(labels.oddity(some, 2) == 0.0 for some in rows)
    y[rows[0]] = 0.0
    assert labels.oddity(rows[0], 2) - labels.oddity(rows[0], 3) == pytest.approx(np.log(200.0))
    exact = np.log1p(np.exp(predictor[rows[0]])).sum() - 2.0 * np.log(200.0)
    assert labels.oddity(rows[0], 2) == pytest.approx(exact, rel=0.01)
    assert labels.terms[rows[0]].sum(axis=0).max() == pytest.approx(exact + 2.0 * np.log(200.0), rel=0.05)


def test_what_a_model_says_of_its_labels_is_what_it_predicts(fraud):
    with attributor_of(fraud) as attributor:
        fitted = attributor.fitted(fraud)
    said = fraud.model.predict_proba(fraud.X_train)[:, 1]
    np.testing.assert_allclose(sigmoid(fitted.predictor), said, atol=1e-9)
    np.testing.assert_array_equal(fitted.y, fraud.train_labels)
    np.testing.assert_array_equal(fitted.weight, 1.0)
