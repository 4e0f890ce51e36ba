"""A case's key names its content: the same after saving and loading, another one when anything it holds changes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.ensemble import (
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

import core
from core.case.identity import digest_of_content
from tests.conftest import make_table

NUMBERS = ["age", "income", "debt"]
TRAIN, TEST = (table.assign(income=table["income"].fillna(25.0)) for table in (make_table(200, 1), make_table(150, 2)))
ROLES = core.Roles("granted", 1, 1, ["sex"], record_id="person", features=NUMBERS)
MODELS = {
    "linear": make_pipeline(StandardScaler(), LogisticRegression()),
    "tree": DecisionTreeClassifier(random_state=0),
    "forest": RandomForestClassifier(3, random_state=0),
    "extra-trees": ExtraTreesClassifier(3, random_state=0, bootstrap=True),
    "hist": HistGradientBoostingClassifier(max_iter=3, early_stopping=True),
    "classic": GradientBoostingClassifier(n_estimators=3),
    "two jobs": RandomForestClassifier(3, random_state=0, n_jobs=2),
}


def make_case(name: str) -> core.Case:
    return core.Case(clone(MODELS[name]).fit(TRAIN[NUMBERS], TRAIN["granted"]), TRAIN, TEST, ROLES)


@pytest.mark.parametrize("name", MODELS)
def test_saving_and_loading_keeps_the_key(name: str, tmp_path: Any) -> None:
    case = make_case(name)
    case.save(tmp_path / "one")
    again = core.load_case(tmp_path / "one")
    assert again.key == case.key
    fewer = core.unlearn(case, case.record_ids[:5]).case
    assert fewer.key != case.key
    fewer.save(tmp_path / "other")
    assert core.load_case(tmp_path / "other").key == fewer.key


def test_whatever_differs_gives_another_key() -> None:
    case = make_case("forest")
    other = core.Case(clone(MODELS["forest"]).fit(TRAIN[NUMBERS], 1 - TRAIN["granted"]), TRAIN, TEST, ROLES)
    edited = core.edit(case, relabel={case.record_ids[0]: 1 - int(TRAIN["granted"][0])}).case
    keys = [case.key, other.key, edited.key, case.with_threshold(0.4).key, case.with_threshold(core.AtRate(0.4)).key]
    keys.append(core.Case(case.model, TRAIN.assign(age=TRAIN["age"] + 1), TEST, ROLES).key)
    assert len(set(keys)) == len(keys)


def test_a_value_of_a_tree_or_a_setting_is_content_and_what_lies_between_the_fields_is_not() -> None:
    nodes = np.zeros(3, dtype=np.dtype([("left", np.int8), ("value", np.float64)], align=True))
    same = np.frombuffer(bytearray(b"\xff" * nodes.nbytes), dtype=nodes.dtype)
    for name in nodes.dtype.names:
        same[name] = nodes[name]
    assert same.tobytes() != nodes.tobytes()
    assert digest_of_content(same) == digest_of_content(nodes)
    same["value"][1] = 1e-300
    assert digest_of_content(same) != digest_of_content(nodes)
    made = [DecisionTreeClassifier(max_depth=depth) for depth in (2, 2, 3)]
    first, second, third = map(digest_of_content, made)
    assert first == second != third
