"""Versions on Remove: a branch after undo, the tree, the table, and two compared."""

from __future__ import annotations

import json
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

import core
from dashboard import cached
from dashboard.history import Step
from dashboard.tree import places
from dashboard.work import Work
from tests.dashboard.conftest import Opener
from tests.dashboard.test_other_tabs import remove, sizes
from tests.dashboard.test_pages import go

GAP = "equal_opportunity_difference"
REMOVE = [Step("unlearn", (i,)) for i in range(5)]


def drawn(app: AppTest) -> dict[str, Any]:
    """What the tree was told to draw."""
    told = (one.proto for one in app.get("bidi_component") if one.proto.component_name == "redress_versions")
    data: dict[str, Any] = json.loads(next(told).json)
    return data


def shown_versions(app: AppTest) -> Any:
    return next(one.value for one in app.dataframe if "parent" in one.value.columns)


def test_places_in_a_tree_never_fall_on_one_another() -> None:
    work = Work("id", None, "m", "sex").taking(REMOVE[0]).taking(REMOVE[1]).going(1).taking(REMOVE[2])
    work = work.going(0).taking(REMOVE[3]).going(3).taking(REMOVE[4])
    found = places(work)
    assert [one.number for one in found] == [0, 1, 2, 3, 4, 5]
    assert [one.parent for one in found] == [None, 0, 1, 1, 0, 3]
    assert [(one.depth, one.line) for one in found] == [(0, 0), (1, 0), (2, 0), (2, 1), (1, 2), (3, 1)]


def test_a_branch_after_undo_keeps_the_better_version_and_two_can_be_compared(open_app: Opener, case_id: str) -> None:
    app = remove(open_app(case_id), 15)
    one = core.audit(cached.case(app.session_state["work"]), [GAP], sensitive_feature=["sex"], on="explore").gaps
    app.button(key="strip_move_Undo").click().run()
    remove(app, 7)
    assert sizes(app) == [15, 7]
    data = drawn(app)
    assert [(one["number"], one["parent"], one["x"], one["y"]) for one in data["versions"]] == [
        (0, None, 0, 0),
        (1, 0, 1, 0),
        (2, 0, 1, 1),
    ]
    assert data["now"] == 2
    spoken = data["versions"][1]["spoken"]
    assert spoken.startswith("Version 1, 15 records removed, gap ")
    assert data["versions"][2]["spoken"].endswith(", in force")
    table = shown_versions(app)
    assert table["version"].tolist() == [0, 1, 2]
    assert table["step"].tolist() == ["as opened", "15 records removed", "7 records removed"]
    assert table["gap"].iloc[1] == pytest.approx(one["value"].iloc[0])
    app.button_group(key="pins").set_value([1, 2]).run()
    assert not app.exception, app.exception
    assert drawn(app)["pinned"] == [1, 2]
    cases = [cached.case(app.session_state["work"].going(number)) for number in (1, 2)]
    real = core.compare(*cases, metric=GAP, sensitive_feature=["sex"]).iloc[0]
    changes = [one.value.iloc[0] for one in app.dataframe if {"before", "after", "change"} <= set(one.value.columns)]
    parts = ["before", "after", "change"]
    assert any(list(one[parts]) == pytest.approx(list(real[parts])) for one in changes)
    assert any("From version 1 (15 records removed) to version 2 (7" in one.value for one in app.markdown)
    app.button_group(key="pins").set_value([0, 1, 2]).run()
    assert drawn(app)["pinned"] == [2, 0], "the two pinned last"


def test_a_version_of_an_earlier_start_is_measured_once_gone_to(open_app: Opener, case_id: str) -> None:
    app = remove(open_app(case_id), 15)
    app.button(key="strip_move_Undo").click().run()
    remove(app, 7)
    cached.results().drop(case_id)
    again = go(open_app(case_id), "remove")
    notes = {one["number"]: one["note"] for one in drawn(again)["versions"]}
    assert notes[1] == "measured once gone to"
    assert notes[2].startswith("gap ")
    again.button_group(key="pins").set_value([1]).run()
    assert drawn(again)["versions"][1]["note"].startswith("gap "), "a pinned one is made again"
