"""A case stays as it was made: nothing that it hands out, and nothing it was made from, reaches it or another case."""

from __future__ import annotations

import copy
import pickle  # noqa: TID251
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

import core
from core.errors import FrozenError, RedressError

N = 40
MANY_KINDS = pd.DataFrame(
    {
        "number": np.arange(N) / 7.0,
        "other": np.arange(N) * 2.0,
        "count": np.arange(N),
        "text": [f"t{row % 5}" for row in range(N)],
        "object": pd.Series([1, "a"] * (N // 2), dtype=object),
        "category": pd.Categorical(["a", "b"] * (N // 2)),
        "masked": pd.array([1, None] * (N // 2), dtype="Int64"),
        "truth": pd.array([True, None] * (N // 2), dtype="boolean"),
        "flag": [True, False] * (N // 2),
        "day": pd.date_range("2026", periods=N),
        "moment": pd.date_range("2026", periods=N, tz="UTC"),
        "month": pd.period_range("2026-01", periods=N, freq="M"),
        "span": pd.interval_range(0, N),
        "wait": pd.to_timedelta(np.arange(N), unit="h"),
        "python text": pd.array(["a", "b"] * (N // 2), dtype="string[python]"),
        "arrow": pd.array(range(N), dtype="int64[pyarrow]"),
        "sex": ["f", "m"] * (N // 2),
        "granted": [0, 1, 1, 0] * (N // 4),
    },
    index=pd.Index(range(100, 100 + N)),
)
ROLES = core.Roles("granted", 1, 1, ["sex"], record_id="count")
MODEL = LogisticRegression().fit(MANY_KINDS[["number", "other"]], MANY_KINDS["granted"])


def make_case(**options: Any) -> core.Case:
    return core.Case(MODEL, MANY_KINDS.copy(), MANY_KINDS.copy(), ROLES.with_(**options))


def first_becomes_second(array: Any) -> None:
    array[0] = array[1]


def add_in_place(table: pd.DataFrame, name: str) -> None:
    table[name] += table[name]


ATTACKS: dict[str, Callable[[pd.DataFrame, str], Any]] = {
    "loc": lambda table, name: table.__setitem__(name, table[name].to_numpy()[::-1]),
    "iloc": lambda table, name: first_becomes_second(table[name].iloc),
    "loc of the table": lambda table, name: table.loc.__setitem__((table.index[0], name), table[name].iloc[1]),
    "values": lambda table, name: first_becomes_second(table[name].values),
    "array": lambda table, name: first_becomes_second(table[name].array),
    "to_numpy": lambda table, name: first_becomes_second(table[name].to_numpy()),
    "asarray": lambda table, name: first_becomes_second(np.asarray(table[name])),
    "values of the table": lambda table, name: first_becomes_second(table[[name]].values),
    "in place": lambda table, name: table[name].replace(table[name].iloc[0], table[name].iloc[1], inplace=True),  # noqa: PD002
    "augmented": add_in_place,
    "codes": lambda table, name: first_becomes_second(table[name].cat.codes.array),
    "index": lambda table, _: first_becomes_second(table.index.array),
    "index values": lambda table, _: first_becomes_second(table.index.values),
    "column gone": lambda table, name: table.drop(columns=name, inplace=True),  # noqa: PD002
    "rows gone": lambda table, _: table.drop(index=table.index[0], inplace=True),  # noqa: PD002
    "sorted": lambda table, name: table.sort_values(name, ascending=False, inplace=True),  # noqa: PD002
    "renamed": lambda table, _: setattr(table.columns, "name", "other"),
}


def attempt(attack: Callable[[pd.DataFrame, str], Any], table: pd.DataFrame, name: str) -> None:
    """Attack, whatever pandas says to it."""
    try:
        attack(table, name)
    except (ValueError, TypeError, AttributeError, pd.errors.InvalidIndexError):
        return


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("attack", ATTACKS)
def test_no_change_of_a_table_handed_out_reaches_the_case_or_another(attack: str) -> None:
    case = make_case(features=("number", "other"))
    other = core.unlearn(case, [3]).case
    fresh = make_case(features=("number", "other"))
    parts = ("train", "test", "X_train", "X_test")
    for part in parts:
        for name in list(getattr(case, part).columns):
            attempt(ATTACKS[attack], getattr(case, part), name)
    for one in (case, other):
        for of in parts:
            pd.testing.assert_frame_equal(getattr(one, of), getattr(fresh, of))
        assert one.data_digest == fresh.data_digest
        assert one.record_ids.equals(fresh.record_ids)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("attack", ATTACKS)
def test_the_users_own_table_reaches_nothing_and_stays_theirs(attack: str) -> None:
    table, free = MANY_KINDS.copy(), MANY_KINDS.copy()
    case = core.Case(MODEL, table, table, ROLES)
    for name in list(table.columns):
        attempt(ATTACKS[attack], table, name)
        attempt(ATTACKS[attack], free, name)
    pd.testing.assert_frame_equal(table, free)
    pd.testing.assert_frame_equal(case.train, MANY_KINDS)
    assert case.data_digest == make_case().data_digest


def test_memory_that_was_handed_in_reaches_nothing() -> None:
    X = np.arange(2.0 * N).reshape(N, 2)
    table = pd.DataFrame(X, columns=["number", "other"], copy=False).assign(
        sex=MANY_KINDS["sex"].array, granted=MANY_KINDS["granted"].array
    )
    case = core.Case(MODEL, table, table, core.Roles("granted", 1, 1, ["sex"]))
    X[:] = -1.0
    assert case.train["number"].tolist() == list(range(0, 2 * N, 2))


def test_a_table_outlives_its_case_and_can_be_written() -> None:
    table = make_case().train
    table.loc[100, "number"] = 5.0
    table.loc[100, "masked"] = 7
    column = make_case().train["number"]
    column.iloc[0] = 5.0
    assert table.loc[100, ["number", "masked"]].tolist() == [5.0, 7]
    assert column.iloc[0] == 5.0
    assert make_case().train.loc[100, "number"] == 0.0


def test_handing_out_copies_no_cell() -> None:
    case = make_case(features=("number", "other"))
    for one, other in ((case.train, case.train), (case.train, case.X_train), (case.test, case.X_test)):
        assert np.shares_memory(one["number"].to_numpy(), other["number"].to_numpy())
    assert not np.shares_memory(case.train["number"].to_numpy(), MANY_KINDS["number"].to_numpy())


@pytest.mark.parametrize(
    "name", ["model", "threshold", "retained", "edits", "train", "test", "roles", "key", "_data", "anything"]
)
def test_no_attribute_can_be_set_or_deleted(name: str) -> None:
    case = make_case()
    key, threshold = case.key, case.threshold
    with pytest.raises(FrozenError, match=rf"`{name}` cannot be set; case.with_threshold.* case.replace") as caught:
        setattr(case, name, 0.9)
    assert isinstance(caught.value, AttributeError)
    assert isinstance(caught.value, RedressError)
    with pytest.raises(FrozenError, match=rf"`{name}` cannot be deleted"):
        delattr(case, name)
    assert (case.key, case.threshold) == (key, threshold)


def arrays_of(case: core.Case) -> dict[str, np.ndarray]:
    return {
        "retained": case.retained,
        "train_codes": case.train_codes,
        "y_train": case.y_train,
        "train_labels": case.train_labels,
        "train_weight": case.train_weight,
        "classes": case.classes,
        "confirm_mask": case.confirm_mask,
        "rows": case.rows("explore"),
        "rows of test": case.rows("test"),
        "y": case.y("explore"),
        "scores": case.scores("explore"),
        "decisions": case.decisions("explore"),
        "groups": case.groups("sex").codes,
        "edited": case.edits.edited,
        "edited codes": case.edits.train_codes,
        "edited weights": case.edits.train_weight,
    }


def test_no_array_handed_out_can_be_written() -> None:
    case = core.Case(MODEL, MANY_KINDS.assign(w=1.0), MANY_KINDS, ROLES.with_(sample_weight="w"))
    case = core.edit(case, relabel={0: 1}, reweight={1: 2.0}, method="refit").case
    for array in arrays_of(case).values():
        with pytest.raises(ValueError, match="read-only"):
            array[0] = array[1]
    MODEL.classes_[:] = MODEL.classes_  # stays the user's own


def test_what_is_handed_to_replace_stays_the_callers() -> None:
    case, mask = make_case(), np.arange(N) > 3
    after = case.replace(case.model, mask)
    mask[:] = False
    assert after.n_retained == N - 4


def test_ids_and_bins_are_handed_out_to_keep() -> None:
    case = core.Case(
        MODEL, MANY_KINDS, MANY_KINDS, core.Roles("granted", 1, 1, ["other"], record_id="count", bins={"other": [20]})
    )
    case.roles.bins["other"] = (1.0,)
    case.record_ids.name = "else"
    with pytest.raises(ValueError, match="read-only"):
        case.record_ids.array[0] = 7
    assert case.roles.edges("other") == (20.0,)
    assert case.record_ids.name == "count"


def there_and_back(case: core.Case) -> core.Case:
    return pickle.loads(pickle.dumps(case))  # noqa: S301


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, there_and_back])
def test_copies_are_the_same_and_frozen_too(copied: Callable[[core.Case], core.Case]) -> None:
    case = core.unlearn(make_case().with_threshold(0.4), [3]).case
    other = copied(case)
    assert other.key == case.key
    np.testing.assert_allclose(other.scores("test"), case.scores("test"), rtol=1e-12)
    with pytest.raises(FrozenError):
        other.threshold = 0.5
    with pytest.raises(ValueError, match="read-only"):
        other.retained[0] = False
    before = other.data_digest
    with pytest.raises(ValueError, match="read-only"):
        other.train["number"].array[0] = 9.0
    assert other.data_digest == before
