"""The records' table: filters, outlines, and what a selection is made of."""

from __future__ import annotations

import pandas as pd
import pytest

import core
from core.figures import influence
from dashboard import session
from dashboard.app_pages.find import table as find_table
from dashboard.records import Filters, inside_box, inside_outline, makeup, most_harmful, record_table
from dashboard.work import Work
from tests.dashboard.conftest import Opener
from tests.dashboard.test_pages import go


@pytest.fixture(scope="module")
def records(small_case: core.Case) -> pd.DataFrame:
    case = core.unlearn(small_case, ["p1", "p2"]).case
    gap, loss = (
        core.influence(case, metric, sensitive_feature="sex") for metric in ("equal_opportunity_difference", "log_loss")
    )
    return record_table(case, gap, loss, "sex")


def test_every_record_has_a_row_removed_ones_too(records: pd.DataFrame, small_case: core.Case) -> None:
    assert records.index.equals(small_case.record_ids)
    assert list(records.index[records["removed"]]) == ["p1", "p2"]
    assert records.loc["p1", "gap"] != records.loc["p1", "gap"], "what is removed has no influence any more"
    assert (records["group"].astype(str).to_numpy() == small_case.train["sex"].to_numpy()).all()


def test_the_most_harmful_are_retained_and_in_the_librarys_order(records: pd.DataFrame) -> None:
    effects = records["gap"][~records["removed"]].rename("equal_opportunity_difference")
    assert list(most_harmful(records, 20, lower_is_fairer=True)) == list(core.harmful(effects)[:20])
    assert list(most_harmful(records, 1, lower_is_fairer=False)) == [effects.idxmax()]


def test_filters_pass_what_they_say(records: pd.DataFrame, small_case: core.Case) -> None:
    train = small_case.train.set_index("person")
    chosen = Filters(groups=("f",), labels=("0",), column="age", low=30, high=40).apply(records, small_case.train)
    expected = train[(train["sex"] == "f") & (train["granted"] == 0) & train["age"].between(30, 40)]
    assert list(chosen.index) == list(expected.index)
    jobs = Filters(column="job", values=("cook", "(missing)")).apply(records, small_case.train)
    assert set(train.loc[jobs.index, "job"].fillna("nan")) == {"cook", "nan"}
    assert len(Filters().apply(records, small_case.train)) == len(records)


def test_an_outline_holds_what_is_inside_it() -> None:
    spots = pd.DataFrame(
        {"gap": [0.5, 1.5, 0.5, 2.5, 1.5], "loss": [0.5, 0.5, 1.5, 1.5, 1.5]}, index=["a", "b", "c", "d", "notch"]
    )
    # An L: the notch is inside its box, and outside the outline.
    x, y = [0, 2, 2, 1, 1, 0], [0, 0, 1, 1, 2, 2]
    assert set(inside_outline(spots, x, y)) == {"a", "b", "c"}
    assert set(inside_box(spots, [0, 2], [2, 0])) == {"a", "b", "c", "notch"}


def test_makeup_counts_every_selected_record_once(records: pd.DataFrame) -> None:
    chosen = most_harmful(records, 50, lower_is_fairer=True)
    table = makeup(records, chosen)
    assert table["selected"].sum() == 50
    assert table["share of selection"].sum() == pytest.approx(1.0)
    assert (table["selected"] <= table["of"]).all()
    top = table.iloc[0]
    same = (records["group"] == top["group"]) & (records["label"].astype(str) == top["label"]) & ~records["removed"]
    assert top["of"] == same.sum()


def test_points_keep_selected_and_extreme_records(monkeypatch: pytest.MonkeyPatch, records: pd.DataFrame) -> None:
    monkeypatch.setattr(influence, "MOST_POINTS", 300)
    monkeypatch.setattr(influence, "MOST_EXTREME", 100)
    retained = records[~records["removed"]]
    selected = retained.index[700:750]
    shown = influence.points(retained, selected)
    assert len(shown) == 300
    assert selected.isin(shown.index).all()
    assert retained["gap"].idxmax() in shown.index
    assert retained["loss"].idxmin() in shown.index
    assert shown.index.is_unique


def test_a_click_on_any_cell_opens_its_record(open_app: Opener, case_id: str) -> None:
    app = go(open_app(case_id), "find")
    table = next(one.value for one in app.dataframe if "gap" in one.value)
    # The browser says nothing of clicks on an index, so that the ids have to be a column.
    assert isinstance(table.index, pd.RangeIndex)
    assert table.columns[0] == "person"
    assert table["person"].is_unique


def test_ticks_that_arrive_with_a_click_that_set_the_selection_do_not_undo_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shown = pd.DataFrame({"removed": [False] * 3}, index=["a", "b", "c"])
    work = Work("id", None, "equal_opportunity_difference", "sex", selection=("b", "z"))
    selected: list[list[str]] = []
    monkeypatch.setattr(session, "work", lambda: work)
    monkeypatch.setattr(session, "picks", lambda: 1)
    monkeypatch.setattr(session, "value", lambda _: {"selection": {"rows": [0]}})
    monkeypatch.setattr(session, "select", lambda ids, **_: selected.append(list(ids)))
    find_table._ticked("table", shown, 0)
    assert selected == [], "the table was drawn before the selection was set"
    find_table._ticked("table", shown, 1)
    assert selected == [["z", "a"]], "records outside the table stay selected"
