"""Groups as people write them: capitals and spaces, commas, one common number, dates of birth."""

from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest
from fairlearn.metrics import MetricFrame, selection_rate
from sklearn.linear_model import LogisticRegression

import core
from core.case.groups import Groups, intersect
from core.case.values.ages import ages, dates_of
from core.case.values.bins import bin_names, default_edges
from core.errors import InputError, InputTypeError

N = 600
RNG = np.random.default_rng(0)
TABLE = pd.DataFrame(
    {
        "income": RNG.normal(size=N),
        "sex": RNG.choice(["Male", "male", "Female", "Female "], N),
        "disability": np.where(RNG.random(N) < 0.8, 0, RNG.integers(20, 100, N)),
        "born": [f"{1940 + i % 60}-{i % 12 + 1:02d}-{i % 28 + 1:02d}" for i in range(N)],
    }
)
TABLE["granted"] = (TABLE.income + RNG.normal(size=N) > 0).astype(int)
MODEL = LogisticRegression().fit(TABLE[["income"]], TABLE.granted)


def case_of(table: pd.DataFrame, feature: str, **roles: Any) -> core.Case:
    return core.Case(MODEL, table, table, core.Roles("granted", 1, 1, [feature], **roles), confirm=False)


def test_values_that_differ_by_capitals_or_spaces_are_told_and_merged_on_request() -> None:
    told = core.audit(case_of(TABLE, "sex"), "demographic_parity_difference")
    assert [note for note in told.notes if "differ by capitals or spaces only. merge=['sex']" in note]
    report = core.audit(case_of(TABLE, "sex", merge=["sex"]), "demographic_parity_difference")
    clean = TABLE.sex.str.strip().str.lower()
    expected = MetricFrame(
        metrics=selection_rate,
        y_true=TABLE.granted,
        y_pred=MODEL.predict(TABLE[["income"]]),
        sensitive_features=clean,
    ).by_group
    found = report.by_group.droplevel(0)
    assert [name.lower() for name in found.index] == ["female", "male"]
    assert found["n"].tolist() == clean.value_counts().sort_index().tolist()
    np.testing.assert_allclose(found["selection_rate"], expected, rtol=1e-12)
    assert not [note for note in report.notes if "capitals" in note]


def test_merging_leaves_tables_as_they_are_and_is_saved(tmp_path: Any) -> None:
    case = case_of(TABLE, "sex", merge=["sex"])
    assert case.train.sex.nunique() == 4
    again = core.load_case(case.save(tmp_path / "case"))
    assert again.key == case.key
    assert again.groups("sex").names == case.groups("sex").names
    assert case.key != case_of(TABLE, "sex").key


def test_decisions_are_merged_too() -> None:
    roles = core.Roles("", 1, 1, ["sex"], merge=["sex"])
    assert len(core.audit_decisions(TABLE, roles, decisions="granted").by_group) == 2
    with pytest.raises(
        InputError, match=r"Every column in Roles.merge must be in the audited table.*Did you mean 'sex'"
    ):
        core.audit_decisions(TABLE, roles.with_(merge=["sexx"]), decisions="granted")


def test_intersections_with_commas_are_told_apart() -> None:
    one = Groups("a", ("x, y", "x"), np.array([0, 1], dtype=np.int32))
    other = Groups("b", ("z", "y, z", 'say "z"'), np.array([0, 1], dtype=np.int32))
    names = intersect([one, other]).names
    assert len(set(names)) == 6
    assert names[:2] == ('"x, y", z', '"x, y", "y, z"')
    assert names[3:] == ("x, z", 'x, "y, z"', 'x, "say ""z"""')


def test_a_number_most_rows_have_is_a_group_beside_the_rest() -> None:
    groups = case_of(TABLE, "disability").groups("disability", "train")
    assert groups.names[0] == "0"
    assert np.array_equal(groups.codes == 0, TABLE.disability == 0)
    rest = np.bincount(groups.codes)[1:]
    assert len(rest) == 3
    assert rest.max() - rest.min() <= 5


@pytest.mark.parametrize(
    ("values", "names"),
    [
        ([0] * 80 + list(range(1, 21)), ("0", "1 to <8", "8 to <14", "14 and over")),
        ([100] * 80 + list(range(1, 21)), ("under 8", "8 to <14", "14 to <100", "100")),
        ([40] * 60 + list(range(20)) + list(range(50, 70)), ("under 40", "40", "50 and over")),
        ([0] * 97 + [0.5, 2, 3], ("0", "0.5 to <2", "2 to <3", "3 and over")),
        ([7] * 10, ()),
    ],
)
def test_bins_around_a_common_value(values: list[float], names: tuple[str, ...]) -> None:
    column = pd.Series(values)
    edges = default_edges(column)
    assert (bin_names(column, edges) if edges else ()) == names


def test_a_column_without_bins_is_refused_with_what_is_true() -> None:
    flat, varied = TABLE.assign(disability=0), TABLE.assign(disability=np.arange(N))
    roles = core.Roles("granted", 1, 1, ["disability"])
    with pytest.raises(InputError, match="Every training row has 0 in 'disability'"):
        core.Case(MODEL, flat, varied, roles)
    with pytest.raises(InputError, match="The bins of 'disability' have no edge"):
        core.Case(MODEL, TABLE, TABLE, roles.with_(bins={"disability": []}))


def test_dates_of_birth_are_ages() -> None:
    case = case_of(TABLE, "born", ages_on={"born": date(2024, 6, 30)}, bins={"born": [40, 65]})
    years = [
        2024 - born.year - ((born.month, born.day) > (6, 30)) for born in map(date.fromisoformat, TABLE.born.tolist())
    ]
    groups = case.groups("born", "train")
    assert groups.names == ("under 40", "40 to <65", "65 and over")
    assert np.array_equal(groups.codes, np.digitize(years, [40, 65]))
    assert case.roles.to_dict()["ages_on"] == {"born": "2024-06-30"}
    assert len(case_of(TABLE, "born", ages_on={"born": "2024-06-30"}).groups("born").names) == 4
    with pytest.raises(
        InputError, match=r"has 420 values; where .* ages_on=\{'born': '2024-12-31'\} makes ages of them"
    ):
        case_of(TABLE, "born")


@pytest.mark.parametrize(
    "column",
    [
        pd.Series(["30.06.1984", None]),
        pd.Series(["06/30/1984", None]),
        pd.Series([date(1984, 6, 30), None]),
        pd.Series(pd.to_datetime(["1984-06-30", None])),
        pd.Series(pd.to_datetime(["1984-06-30", None]).tz_localize("UTC")),
        pd.Series(["1984-06-30T23:00:00Z", None]),
        pd.Series([19840630, None]),
    ],
)
def test_dates_are_read_as_they_are_written(column: Any) -> None:
    for day, age in ((date(2024, 6, 30), 40), (date(2024, 6, 29), 39)):
        assert ages(column, day)[0] == age
        assert np.isnan(ages(column, day)[1])


def test_years_of_birth_are_ages_and_other_cells_no_dates() -> None:
    assert ages(pd.Series([1984.0, np.nan]), date(2024, 1, 1)).tolist()[0] == 40
    for cells in (["f", "m"], [1.5, 2.5], [True, False], [17, 44], ["1984-06-30", "soon"]):
        assert dates_of(pd.Series(cells)) is None


def test_wrong_days_and_dates_are_sentences() -> None:
    with pytest.raises(InputError, match=r"A day must be written as 2024-12-31. Got 'today'"):
        core.Roles("granted", 1, 1, ["born"], ages_on={"born": "today"})
    with pytest.raises(InputTypeError, match="must map columns to days"):
        core.Roles("granted", 1, 1, ["born"], ages_on="born")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="must lie before the day"):
        case_of(TABLE, "born", ages_on={"born": "1960-01-01"})
    with pytest.raises(InputError, match="Ages need dates"):
        case_of(TABLE, "sex", ages_on={"sex": "2024-01-01"})
    with pytest.raises(InputError, match=r"Every column in Roles.ages_on must be in the training table"):
        case_of(TABLE, "sex", ages_on={"birth": "2024-01-01"})
