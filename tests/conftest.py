"""Cases that many tests share."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import tomli_w
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import core

COMPILES_TREES = Path(__file__).parent / "families" / "forest" / "test_against_sklearn.py"
TREES = re.compile("Forest|ExtraTree|DecisionTree|kernels")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with a file that compiles the kernels of trees and leave the others of trees to the end, so that only one process compiles them."""
    items.sort(key=lambda item: _turn(item.path))


@cache
def _turn(path: Path) -> int:
    return 0 if path == COMPILES_TREES else 1 + (TREES.search(path.read_text("utf-8")) is not None)


def forget_digests(folder: Path) -> None:
    """Let a saved case pass for one of before its files had digests, so that a damaged file is opened."""
    settings = tomllib.loads((folder / "case.toml").read_text("utf-8"))
    settings.pop("digests")
    (folder / "case.toml").write_text(tomli_w.dumps(settings), "utf-8")


def ids_of(case: core.Case, groups: Iterable[Any]) -> list[Any]:
    """Return the record ids of groups that are masks over the training table, or positions in it."""
    return [case.record_ids[group] for group in groups]


def make_table(rows: int, seed: int) -> pd.DataFrame:
    """Return a lending table with numbers, categories and missing values."""
    draw = np.random.default_rng(seed)
    sex = draw.choice(["f", "m"], rows)
    age = draw.integers(18, 80, rows)
    income = draw.lognormal(3.3, 0.4, rows)
    debt = draw.normal(10, 4, rows)
    job = draw.choice(["clerk", "cook", "driver", "nurse"], rows, p=[0.4, 0.3, 0.2, 0.1])
    score = (
        0.1 * (income - 28)
        - 0.15 * (debt - 10)
        + 0.5 * (job == "clerk")
        + 0.4 * (sex == "m")
        + draw.logistic(0, 1, rows)
    )
    table = pd.DataFrame(
        {
            "person": [f"p{number}" for number in range(rows)],
            "sex": sex,
            "age": age,
            "income": income,
            "debt": debt,
            "job": job,
        }
    )
    table.loc[draw.random(rows) < 0.08, "income"] = np.nan
    table.loc[draw.random(rows) < 0.05, "job"] = np.nan
    table["granted"] = (score > 0).astype(int)
    return table


def make_graded_table(rows: int, seed: int) -> pd.DataFrame:
    """Return the lending table with three outcomes: refusals are parted by whether the debt is paid late."""
    table = make_table(rows, seed)
    late = (table["debt"] + np.random.default_rng(seed).normal(0, 2, rows) > 10).to_numpy()
    return table.assign(granted=np.where(table["granted"] == 1, "granted", np.where(late, "late", "refused")))


def make_pipeline_for(
    table: pd.DataFrame, *, features: tuple[str, ...] = ("sex", "age", "income", "debt", "job"), **options: object
) -> object:
    """Return a fitted logistic-regression pipeline on the raw columns."""
    numbers = [name for name in features if name in ("age", "income", "debt")]
    words = [name for name in features if name in ("sex", "job")]
    columns = make_column_transformer(
        (make_pipeline(SimpleImputer(), StandardScaler()), numbers),
        (make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore")), words),
    )
    settings = {"solver": "newton-cholesky", "tol": 1e-12, **options}
    return make_pipeline(columns, LogisticRegression(**settings)).fit(table[list(features)], table["granted"])


@pytest.fixture
def leaves_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let "auto" refit the leaves of boosting however little training again would cost."""
    monkeypatch.setattr("core.families.boosting.unlearner.SOON", 0.0)


@pytest.fixture(scope="session")
def small_case() -> core.Case:
    """A case of 1,500 training people and 1,200 test people, some cells missing."""
    train, test = make_table(1500, 1), make_table(1200, 2)
    roles = core.Roles("granted", 1, 1, ["sex", "age"], record_id="person")
    return core.Case(make_pipeline_for(train), train=train, test=test, roles=roles)
