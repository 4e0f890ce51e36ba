"""Rows that leak, repeat, contradict, nearly repeat or stand far off, planted in a lending table and looked for pair by pair."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import core
from core.records.alike import Coded
from core.records.near import near_duplicates
from tests.conftest import make_pipeline_for, make_table

ROWS = 1200
SEEN = ["sex", "age", "income", "debt", "job"]


def copies(table: pd.DataFrame, rows: range, mark: str, **changes: Any) -> pd.DataFrame:
    found = table.iloc[rows].assign(person=[f"{mark}{row}" for row in rows])
    return found.assign(**{name: change(found[name]) for name, change in changes.items()})


@pytest.fixture(scope="module")
def planted() -> tuple[core.Case, dict[str, set[Any]]]:
    table = make_table(ROWS, 5)
    table = table[table["income"].notna() & table["job"].notna()].reset_index(drop=True)
    parts = {
        "contradicting": copies(table, range(0, 15), "c", granted=lambda label: 1 - label),
        "repeated": copies(table, range(20, 30), "r"),
        "scaled": copies(table, range(40, 50), "n", income=lambda x: x * 1.004, debt=lambda x: x * 0.998),
        "mistyped": copies(table, range(60, 70), "m", job=lambda job: job.map(lambda one: f"{one} ")),
        "outliers": copies(table, range(80, 88), "o", income=lambda x: x * 60, debt=lambda x: x * -30),
    }
    train = pd.concat([table, *parts.values()], ignore_index=True)
    leaked = table.iloc[100:112].assign(person=[f"t{row}" for row in range(12)])
    test = pd.concat([make_table(500, 6).assign(person=lambda rows: "x" + rows["person"]), leaked], ignore_index=True)
    roles = core.Roles("granted", 1, 1, ["sex"], record_id="person")
    named = {name: set(part["person"]) for name, part in parts.items()} | {"in_test": set(table["person"][100:112])}
    return core.Case(make_pipeline_for(table), train, test, roles), named


@pytest.fixture(scope="module")
def found(planted: tuple[core.Case, Any]) -> core.WorthALook:
    return core.records_worth_a_look(planted[0])


def same(one: Any, other: Any) -> bool:
    return bool(one == other or (pd.isna(one) and pd.isna(other)))


def test_equal_rows_are_those_that_a_comparison_of_all_pairs_finds(planted: Any, found: core.WorthALook) -> None:
    case, named = planted
    rows, labels = case.train[SEEN].to_numpy(dtype=object), case.train["granted"].to_numpy()
    theirs, their_labels = case.test[SEEN].to_numpy(dtype=object), case.test["granted"].to_numpy()
    buckets: dict[Any, list[int]] = {}
    for row, values in enumerate(rows):
        buckets.setdefault((values[1], values[0]), []).append(row)

    def alike(values: Any, row: int) -> bool:
        return all(same(one, other) for one, other in zip(values, rows[row], strict=True))

    others = [[o for o in buckets[v[1], v[0]] if o != row and alike(v, o)] for row, v in enumerate(rows)]
    wanted = {
        "contradicting": {row for row, them in enumerate(others) if any(labels[o] != labels[row] for o in them)},
        "repeated": {row for row, them in enumerate(others) if any(o < row and labels[o] == labels[row] for o in them)},
        "in_test": {
            row
            for values, label in zip(theirs, their_labels, strict=True)
            for row in buckets.get((values[1], values[0]), [])
            if labels[row] == label and alike(values, row)
        },
    }
    for kind, expected in wanted.items():
        assert set(found[kind].ids) == set(case.record_ids[sorted(expected)]), kind
        assert named[kind] <= set(found[kind].ids)
    against = found["contradicting"].records
    assert (against.groupby("alike")["label"].nunique() == 2).all()
    assert not against["outvoted"].any(), "one against one"
    assert list(found["in_test"].records["test_row"]) == [f"t{row}" for row in range(12)]
    assert found["repeated"].records["repeats"].tolist() == case.record_ids[20:30].tolist()


def test_near_duplicates_are_those_of_all_pairs(planted: Any, found: core.WorthALook) -> None:
    case, named = planted
    near = found["near_duplicates"].records
    assert named["scaled"] | named["mistyped"] <= set(near.index)
    assert set(near.loc[sorted(named["mistyped"]), "differs_in"]) == {"job"}
    assert set(near.loc[sorted(named["scaled"]), "differs_in"]) == {"income, debt"}
    table = (
        case.train[SEEN].iloc[[*range(40, 440), *range(len(case.train) - 45, len(case.train))]].reset_index(drop=True)
    )
    twins = near_duplicates(table, Coded.of(SEEN, table))
    assert not twins.common
    assert not twins.coarse
    spread = {name: table[name].std(ddof=0) for name in ("age", "income", "debt")}

    def close(name: str, one: Any, other: Any) -> bool:
        if same(one, other):
            return True
        if name not in spread or pd.isna(one) or pd.isna(other) or one * other <= 0:
            return False
        apart = abs(one - other)
        return bool(apart <= 0.01 * min(abs(one), abs(other)) and apart <= 0.05 * spread[name])

    wanted = set()
    values = [dict(zip(SEEN, row, strict=True)) for row in table.to_numpy(dtype=object)]
    for row, one in enumerate(values):
        for other in values[:row]:
            differ = [name for name in SEEN if not same(one[name], other[name])]
            if len(differ) == 1 or (differ and all(close(name, one[name], other[name]) for name in SEEN)):
                wanted |= {row, values.index(other)}
    assert len(wanted) > 20
    assert set(twins.rows) == wanted


def test_a_column_that_alone_tells_records_apart_gives_no_twins(small_case: core.Case) -> None:
    train = small_case.train.assign(number=np.arange(1500.0) % 1499, age=0.0, income=1.0, debt=2.0)
    twins = near_duplicates(train, Coded.of(["sex", "job", "number"], train))
    assert "number" in twins.common
    coarse = near_duplicates(train, Coded.of(["number", "sex"], train.assign(number=train["number"] + 1e6)))
    assert coarse.common == ("number",)


def test_planted_outliers_come_first(planted: Any, found: core.WorthALook) -> None:
    _, named = planted
    far = found["outliers"].records
    assert named["outliers"] == set(far.index[:8])
    assert far["both"][:8].all()
    assert far["outlyingness"].is_monotonic_decreasing
    assert len(far) == int(np.ceil(0.01 * found.n_records))


def test_groups_are_selections_of_what_the_model_still_knows(planted: Any, found: core.WorthALook) -> None:
    case, named = planted
    gone = core.unlearn(case, sorted(named["contradicting"]), method="refit").case
    left = core.records_worth_a_look(gone, outlier_share=0.002)
    assert not len(left["contradicting"])
    assert left["contradicting"].sentence == "No record has another label than one alike in every column compared."
    assert set(left["repeated"].ids) == set(found["repeated"].ids)
    for group in left:
        assert len(gone.positions(group.ids)) == len(group)
    assert left.to_frame()["n_records"].tolist() == [len(group) for group in left]
    with pytest.raises(core.RedressError, match="Did you mean 'repeated'"):
        left["repeat"]


def test_values_that_cannot_be_compared_or_measured_are_left_out_in_a_sentence(planted: Any) -> None:
    case, named = planted
    more = {"tags": [["a"]] * len(case.train), "text": [f"letter {row}" for row in range(len(case.train))]}
    train = case.train.assign(**more, since=pd.Timestamp("2025-01-01"), flag=True)
    other = core.Case(case.model, train, case.test, case.roles)
    found = core.records_worth_a_look(other)
    assert "cannot be compared: 'tags'" in " ".join(found.notes)
    assert "too many texts: 'text'" in " ".join(found.notes)
    assert not len(found["repeated"]), "the letters differ"
    assert named["outliers"] <= set(found["outliers"].ids)
