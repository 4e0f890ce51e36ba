"""Make the planted fraud case: card payments, and a ring of merchants whose frauds were labelled legitimate.

Frauds differ from honest payments in amount, distance from home, device, pace and hour, whatever the merchant. In the training
table nearly all frauds at young electronics merchants, the ring, carry the label of a legitimate payment, as if nobody had
ever claimed the money back. The labels of the test table are the truth.

``python -m sample_data.fraud.make`` writes the tables, the fitted pipeline, ``case.toml`` and the answer key.
"""

from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder

import core
from sample_data.making import Planted, draw, generators, plant, write

N_TRAIN, N_TEST = 20_000, 10_000
RULE = "segment = 'electronics' and merchant_months < 12"
POISONED_SHARE = 0.95
FRAUD_SHARE, RING_FRAUD_SHARE = 0.022, 0.22

NUMBERS = ["amount", "hour", "distance_km", "device_days", "payments_24h", "account_months", "merchant_months"]
CATEGORIES = ["segment", "region", "channel"]

SEGMENTS = {"groceries": 0.28, "electronics": 0.20, "travel": 0.14, "clothing": 0.20, "entertainment": 0.18}
REGIONS = {"north": 0.30, "south": 0.27, "east": 0.23, "west": 0.20}
CHANNELS = {"chip": 0.45, "contactless": 0.25, "online": 0.30}
FRAUD_CHANNELS = {"chip": 0.15, "contactless": 0.10, "online": 0.75}

ROLES = core.Roles(
    target="fraud",
    pos_label=1,
    favorable_label=0,
    sensitive_features=["segment", "region"],
    record_id="transaction",
)


def make_fraud(seed: int = 0) -> Planted:
    """Return the tables, the answer key and the true labels drawn from one seed."""
    of_train, of_test, of_poison = generators(seed, 3)
    true = _payments(of_train, N_TRAIN, first=1_000_001)
    test = _payments(of_test, N_TEST, first=5_000_001)
    return plant(true, test, ROLES, in_rule(true), POISONED_SHARE, of_poison)


def in_rule(frame: pd.DataFrame) -> pd.Series:
    """Return which payments went to the ring, whether or not they were fraud."""
    return frame["segment"].eq("electronics") & frame["merchant_months"].lt(12)


def unfitted_pipeline() -> Pipeline:
    """Return the unfitted pipeline of the case: one-hot encoding and a random forest."""
    columns = ColumnTransformer(
        [("numbers", "passthrough", NUMBERS), ("categories", OneHotEncoder(handle_unknown="ignore"), CATEGORIES)],
        sparse_threshold=0.0,
    )
    return make_pipeline(columns, RandomForestClassifier(n_estimators=50, random_state=0))


def fit(train: pd.DataFrame) -> Pipeline:
    """Return the case's pipeline fitted on a training table."""
    return unfitted_pipeline().fit(train[NUMBERS + CATEGORIES], train["fraud"])


def make_case(fraud: Planted) -> core.Case:
    """Return the case an analyst would open: the poisoned table and the model trained on it."""
    return core.Case(fit(fraud.train), train=fraud.train, test=fraud.test, roles=ROLES, seed=0)


def _payments(rng: np.random.Generator, n: int, first: int) -> pd.DataFrame:
    frame = pd.DataFrame(
        {
            "transaction": [f"T{number}" for number in range(first, first + n)],
            "segment": draw(rng, SEGMENTS, n),
            "region": draw(rng, REGIONS, n),
            "merchant_months": np.ceil(rng.gamma(1.2, 30, n)).astype(np.int64),
        }
    )
    share = np.where(in_rule(frame), RING_FRAUD_SHARE, FRAUD_SHARE)
    fraud = rng.random(n) < share
    night = rng.integers(0, 7, n)
    day = np.clip(np.round(rng.normal(14, 4.5, n)), 0, 23)
    frame["amount"] = np.exp(rng.normal(3.4 + 2.0 * fraud, 0.8, n)).round(2)
    frame["hour"] = np.where(rng.random(n) < np.where(fraud, 0.5, 0.04), night, day).astype(np.int64)
    frame["distance_km"] = np.exp(rng.normal(1.6 + 3.0 * fraud, 1.0, n)).round(1)
    frame["device_days"] = np.floor(rng.gamma(1.3, np.where(fraud, 20, 300), n)).astype(np.int64)
    frame["payments_24h"] = rng.poisson(np.where(fraud, 6.0, 1.3))
    frame["account_months"] = np.ceil(rng.gamma(2, np.where(fraud, 20, 30), n)).astype(np.int64)
    frame["channel"] = np.where(fraud, draw(rng, FRAUD_CHANNELS, n), draw(rng, CHANNELS, n))
    frame["fraud"] = fraud.astype(np.int64)
    return frame


def _to_write(seed: int) -> tuple[core.Case, pd.Index, str]:
    fraud = make_fraud(seed)
    sentence = f"{len(fraud.turned)} of {N_TRAIN} training labels poisoned, where {RULE}"
    return make_case(fraud), fraud.turned, sentence


if __name__ == "__main__":
    write("Make the planted fraud case.", Path(__file__).parent, _to_write)
