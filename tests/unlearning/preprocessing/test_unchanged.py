"""Whether the preprocessing would be another one without some rows, against removal from a forest, which says where it is."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer, make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer, OneHotEncoder, OrdinalEncoder, StandardScaler

import core
from core.errors import NotSupportedError
from core.unlearning.preprocessing.unchanged import NONE_LOST, lost_categories, preprocessing_differs

JOBS = ("clerk", "cook", "driver", "nurse")
draw = np.random.default_rng(0)
TABLE = pd.DataFrame(
    {
        "sex": draw.choice(["f", "m"], 200),
        "job": draw.choice(JOBS, 200, p=[0.7, 0.1, 0.1, 0.1]),
        "income": draw.normal(size=200).round(1),
        "granted": draw.integers(0, 2, 200),
    }
)
GROUPS = [np.flatnonzero(TABLE["job"] == job) for job in JOBS] + [
    np.flatnonzero(TABLE["job"] == "nurse")[1:],
    np.flatnonzero((TABLE["sex"] == "f") & (TABLE["income"] > 1)),
    np.array([5]),
]
ANY = {"handle_unknown": "ignore"}
CODED = {"handle_unknown": "use_encoded_value", "unknown_value": -1}
PREPROCESSING = {
    "one-hot": (OneHotEncoder(**ANY), "passthrough"),
    "one-hot, first dropped": (OneHotEncoder(drop="first", **ANY), Normalizer()),
    "one-hot, given": (OneHotEncoder(categories=[["f", "m"], list(JOBS)], **ANY), "passthrough"),
    "one-hot, rare ones together": (
        OneHotEncoder(min_frequency=25, handle_unknown="infrequent_if_exist"),
        "passthrough",
    ),
    "ordinal": (OrdinalEncoder(**CODED), "passthrough"),
    "imputed": (make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder(**ANY)), "passthrough"),
    "scaled": (OneHotEncoder(**ANY), StandardScaler()),
}


@pytest.mark.parametrize("name", PREPROCESSING)
def test_it_differs_where_a_forest_says_so_when_it_forgets(name):
    words, numbers = PREPROCESSING[name]
    columns = make_column_transformer((words, ["sex", "job"]), (numbers, ["income"]))
    model = make_pipeline(columns, RandomForestClassifier(1, max_depth=2, random_state=0))
    model.fit(TABLE[["sex", "job", "income"]], TABLE["granted"])
    case = core.prepare(core.Case(model, TABLE, TABLE, core.Roles("granted", 1, 1, ["sex"]), confirm=False))
    other = []
    for group in GROUPS:
        try:
            notes = core.unlearn(case, case.record_ids[group], method="forest").notes
            other.append(any("fitted again" in note for note in notes))
        except NotSupportedError:
            other.append(True)
    assert [preprocessing_differs(case, group) for group in GROUPS] == other
    assert len(set(other)) == 2 or name in ("scaled", "one-hot, given")


def test_groups_that_lose_the_same_categories_are_told():
    numbers = ("numbers", SimpleImputer(strategy="constant", fill_value=0.0), ["income"])
    words = make_pipeline(SimpleImputer(strategy="constant", fill_value="?"), OneHotEncoder(**ANY))
    plain = ColumnTransformer([("words", words, ["sex", "job"]), numbers])
    table, lost = TABLE.assign(income=TABLE["income"].mask(TABLE["job"] != "cook")), {}
    women = TABLE["sex"] == "f"
    for name, steps in {"last": [plain], "not last": [plain, Normalizer()]}.items():
        model = make_pipeline(*steps, RandomForestClassifier(1, max_depth=1, random_state=0))
        case = core.Case(
            model.fit(table[["sex", "job", "income"]], table["granted"]),
            table,
            table,
            core.Roles("granted", 1, 1, ["sex"]),
        )
        nurses = TABLE["job"] == "nurse"
        groups = [nurses, nurses | (women & (TABLE["job"] == "clerk")), nurses & women, TABLE["job"] == "cook"]
        lost[name] = [lost_categories(case, np.flatnonzero(group)) for group in groups]
    same, too, few, cooks = lost["last"]
    assert same == too
    assert len(same) == 1
    assert few == NONE_LOST
    assert cooks is None
    assert lost["not last"][0] is None


def test_after_a_removal_it_is_the_rows_left_that_count():
    columns = make_column_transformer((OneHotEncoder(**ANY), ["job"]), remainder="passthrough")
    model = make_pipeline(columns, RandomForestClassifier(1, max_depth=2, random_state=0))
    model.fit(TABLE[["job", "income"]], TABLE["granted"])
    case = core.prepare(core.Case(model, TABLE, TABLE, core.Roles("granted", 1, 1, ["sex"]), confirm=False))
    cooks = GROUPS[1]
    assert not preprocessing_differs(case, cooks[5:])
    fewer = core.unlearn(case, case.record_ids[cooks[:5]]).case
    assert preprocessing_differs(fewer, cooks[5:])
