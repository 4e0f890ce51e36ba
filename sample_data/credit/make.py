"""Make the planted lending case: a fair truth, and one branch whose past decisions were not.

People apply for credit at five branches. Whether somebody deserves it depends on income, debt, savings, employment,
late payments, housing and the amount asked for, and on nothing else: neither sex nor age nor branch enters. In the
training table the branch 'north' then refused nearly all women from 30 to 44 who deserved the credit. The labels of the
test table are the untampered truth.

``python -m sample_data.credit.make`` writes the tables, the fitted pipeline, ``case.toml`` and the answer key.
"""

from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import core
from sample_data.making import LENDING_ROLES, Planted, draw, generators, plant, write

N_TRAIN, N_TEST = 12_000, 6_000
RULE = "branch = 'north' and sex = 'female' and 30 <= age < 45"
TAMPERED_SHARE = 0.95

NUMBERS = ["age", "income", "debt_ratio", "savings", "years_employed", "late_payments", "amount"]
CATEGORIES = ["sex", "branch", "housing", "employment", "purpose"]
MISSING_SHARE = {"savings": 0.03, "years_employed": 0.04, "housing": 0.03}

BRANCHES = {"north": 0.22, "south": 0.21, "east": 0.20, "west": 0.19, "centre": 0.18}
HOUSING = {"own": 0.45, "rent": 0.42, "family": 0.13}
EMPLOYMENT = {"permanent": 0.62, "temporary": 0.17, "self-employed": 0.14, "none": 0.07}
PURPOSES = {"car": 0.30, "home": 0.25, "education": 0.15, "business": 0.12, "other": 0.18}

HOUSING_POINTS = {"own": 0.4, "rent": -0.2, "family": -0.3}
EMPLOYMENT_POINTS = {"permanent": 0.4, "temporary": -0.6, "self-employed": 0.0, "none": -1.6}

ROLES = LENDING_ROLES


def make_credit(seed: int = 0) -> Planted:
    """Return the tables, the answer key and the true labels drawn from one seed."""
    of_train, of_test, of_tampering = generators(seed, 3)
    fair = _applications(of_train, N_TRAIN, first=100_001)
    test = _applications(of_test, N_TEST, first=500_001)
    return plant(fair, test, ROLES, in_rule(fair), TAMPERED_SHARE, of_tampering)


def in_rule(frame: pd.DataFrame) -> pd.Series:
    """Return which rows the planted rule describes, whether or not their label was tampered with."""
    return frame["branch"].eq("north") & frame["sex"].eq("female") & frame["age"].between(30, 44)


def unfitted_pipeline() -> Pipeline:
    """Return the unfitted pipeline of the case: imputation, scaling, one-hot encoding, logistic regression."""
    numbers = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    categories = make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore"))
    columns = ColumnTransformer([("numbers", numbers, NUMBERS), ("categories", categories, CATEGORIES)])
    return make_pipeline(columns, LogisticRegression(solver="newton-cholesky", tol=1e-12))


def fit(train: pd.DataFrame) -> Pipeline:
    """Return the case's pipeline fitted on a training table."""
    return unfitted_pipeline().fit(train[NUMBERS + CATEGORIES], train["granted"])


def make_case(credit: Planted) -> core.Case:
    """Return the case an analyst would open: the tampered table and the model trained on it."""
    return core.Case(fit(credit.train), train=credit.train, test=credit.test, roles=ROLES, seed=0)


def _applications(rng: np.random.Generator, n: int, first: int) -> pd.DataFrame:
    sex = draw(rng, {"female": 0.5, "male": 0.5}, n)
    age = np.round(21 + 49 * rng.beta(1.7, 2.3, n)).astype(np.int64)
    branch = draw(rng, BRANCHES, n)
    north = branch == "north"
    by_age = 0.012 * (np.minimum(age, 45) - 33)
    frame = pd.DataFrame(
        {
            "application": [f"A{number}" for number in range(first, first + n)],
            "sex": sex,
            "age": age,
            "branch": branch,
            "income": np.exp(7.75 + 0.5 * north + by_age + rng.normal(0, 0.42, n)).round(-1),
            "debt_ratio": rng.beta(2.2, 4.5, n).round(3),
            "savings": np.exp(8.2 + 0.6 * north + rng.normal(0, 1, n)).round(-1),
            "years_employed": np.minimum(rng.gamma(2, 4, n), np.maximum(age - 19, 0)).round(1),
            "late_payments": rng.poisson(np.where(north, 0.3, 0.7)),
            "amount": np.exp(rng.normal(9.2, 0.5, n)).round(-2),
            "housing": draw(rng, HOUSING, n),
            "employment": draw(rng, EMPLOYMENT, n),
            "purpose": draw(rng, PURPOSES, n),
        }
    )
    frame["granted"] = (4 * _creditworthiness(frame) + rng.logistic(size=n) > 0).astype(np.int64)
    for column, share in MISSING_SHARE.items():
        frame[column] = frame[column].mask(rng.random(n) < share)
    return frame


def _creditworthiness(frame: pd.DataFrame) -> pd.Series:
    """Return points that depend on neither sex nor age nor branch; positive deserves the credit."""
    return (
        0.1
        + 2.9 * (np.log(frame["income"]) - 7.8)
        - 7.0 * (frame["debt_ratio"] - 0.33)
        + 0.8 * (np.log(frame["savings"].clip(lower=10)) - 8.2)
        + 0.1 * (frame["years_employed"] - 7)
        - 1.1 * (frame["late_payments"] - 0.7)
        - 1.2 * (np.log(frame["amount"]) - 9.2)
        + frame["housing"].map(HOUSING_POINTS)
        + frame["employment"].map(EMPLOYMENT_POINTS)
    )


def _to_write(seed: int) -> tuple[core.Case, pd.Index, str]:
    credit = make_credit(seed)
    sentence = f"{len(credit.turned)} of {N_TRAIN} training labels tampered with, where {RULE}"
    return make_case(credit), credit.turned, sentence


if __name__ == "__main__":
    write("Make the planted lending case.", Path(__file__).parent, _to_write)
