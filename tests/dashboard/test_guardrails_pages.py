"""The verdict on a removal, before it is applied and after; a doubtful one is asked about once more."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
from streamlit.testing.v1 import AppTest

import core
from core.words import plain
from dashboard import workspace
from sample_data.credit import make as credit
from sample_data.trap import make as trap
from tests.dashboard.conftest import Opener
from tests.dashboard.test_pages import go, selection, strip_rows


def select(app: AppTest, ids: pd.Index) -> None:
    app.session_state["work"] = replace(app.session_state["work"], selection=tuple(ids))
    go(app, "remove")


def banners(app: AppTest) -> list[str]:
    return [one.value for kind in (app.success, app.warning, app.error, app.info) for one in kind]


def test_levelling_down_is_said_before_and_after_and_asked_about_once_more(open_app: Opener, home: Path) -> None:
    made = trap.make_trap()
    case = trap.make_case(made)
    app = open_app(workspace.store(case, "Trap"))
    select(app, made.tempting)
    said = core.guardrails(case, core.unlearn(case, made.tempting).case).sentence
    assert any(
        "**Fairer by levelling down**" in text and "Predicted, on the rows searched" in text for text in banners(app)
    )
    app.button(key="remove_apply").click().run()
    assert "Apply it all the same?" in " ".join(one.value for one in app.markdown)
    assert len(selection(app)) == len(made.tempting), "nothing is removed yet"
    app.button(key="remove_not").click().run()
    assert "Apply it all the same?" not in " ".join(one.value for one in app.markdown)
    app.button(key="remove_apply").click().run()
    app.button(key="remove_sure").click().run()
    assert not app.exception, app.exception
    go(app, "remove")
    assert strip_rows(app)["now"][3] == f"{len(made.tempting):,}"
    assert any(plain(said.removeprefix("Fairer by levelling down")) in text for text in banners(app))


def test_a_cure_is_applied_at_once(open_app: Opener, home: Path) -> None:
    planted = credit.make_credit()
    app = open_app(workspace.store(credit.make_case(planted), "Credit"))
    select(app, planted.turned)
    assert any("**Fairer**" in text for text in banners(app))
    app.button(key="remove_apply").click().run()
    assert not app.exception, app.exception
    go(app, "remove")
    assert strip_rows(app)["now"][3] == str(len(planted.turned))
    assert any("**Fairer**" in text and "Predicted" not in text for text in banners(app))


def test_another_selection_is_not_taken_for_the_one_asked_about(open_app: Opener, home: Path) -> None:
    made = trap.make_trap()
    app = open_app(workspace.store(trap.make_case(made), "Trap"))
    select(app, made.tempting)
    app.button(key="remove_apply").click().run()
    select(app, made.tempting[:-3])
    assert [button.key for button in app.button if button.key in ("remove_apply", "remove_sure")] == ["remove_apply"]
