"""Small models of XGBoost, LightGBM and CatBoost, and tables for them."""

from __future__ import annotations

from importlib import import_module

import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import core

FEATURES = ["income", "age", "debt"]
ROLES = core.Roles("granted", 1, 1, ["sex"], features=FEATURES)
LIBRARIES = ("xgboost", "lightgbm", "catboost")


def tables(n: int = 500, seed: int = 0) -> tuple[pd.DataFrame, pd.DataFrame]:
    draw = np.random.default_rng(seed)
    table = pd.DataFrame(draw.normal(size=(n, 3)), columns=FEATURES)
    table["sex"] = draw.integers(0, 2, n)
    table["granted"] = ((table.income + 0.7 * table.sex + draw.normal(size=n)) > 0.3).astype(int)
    table.loc[::19, "age"] = np.nan
    return table[: n * 3 // 5].copy(), table[n * 3 // 5 :].reset_index(drop=True)


TRAIN, TEST = tables()


def unfitted(library: str):
    pytest.importorskip(library, reason=f"{library} is an optional extra")
    module = import_module(library)
    if library == "xgboost":
        return module.XGBClassifier(n_estimators=12, max_depth=3, learning_rate=0.3, random_state=3)
    if library == "lightgbm":
        return module.LGBMClassifier(n_estimators=12, num_leaves=6, random_state=3, verbose=-1)
    return module.CatBoostClassifier(
        iterations=12, depth=3, random_seed=3, verbose=False, allow_writing_files=False, thread_count=1
    )


def fitted(library: str, table: pd.DataFrame = TRAIN):
    return unfitted(library).fit(table[FEATURES], table["granted"])


def piped(library: str):
    return make_pipeline(StandardScaler(), unfitted(library)).fit(TRAIN[FEATURES], TRAIN["granted"])


def case_of(model, train: pd.DataFrame = TRAIN, roles: core.Roles = ROLES) -> core.Case:
    return core.Case(model, train, TEST, roles)
