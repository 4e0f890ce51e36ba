"""The demonstrations' questions: scores against the answer keys, and the card on the pages."""

from __future__ import annotations

import pandas as pd
import pytest

import core
from dashboard import workspace
from dashboard.lessons import lesson_of
from tests.dashboard.conftest import Opener
from tests.dashboard.test_pages import go, selection


@pytest.mark.parametrize(
    ("name", "n"), [("credit", 494), ("fraud", 182), ("hospital", 773), ("trap", 1_273), ("null", 0)]
)
def test_every_demonstration_has_a_lesson_and_its_answer(name: str, n: int) -> None:
    case = core.load_case(name)
    demo = next(one for one in workspace.demos() if one.name == name)
    lesson = lesson_of(workspace.demo_id(demo), case)
    assert lesson is not None
    assert len(lesson.ids) == n
    others = case.record_ids[~case.record_ids.isin(lesson.ids)][:60]
    if n:
        said = lesson.score(pd.Index([*lesson.ids[:40], *others]))
        assert said.startswith("40 of 100 records are among them (40%), which is ")
        assert f"{40 / n:.0%} of the {n:,} there are" in said
        answered = core.Case(case.model, case.train, case.train, case.roles).only(lesson.rule).rows("test")
        assert set(lesson.ids) <= set(case.record_ids[answered]), "the rule holds the records of the key"
    else:
        assert lesson.score(others) == "None of these 60 records is to blame."
    assert lesson_of("an-uploaded-case", case) is None


def test_the_answer_is_revealed_on_request(open_app: Opener) -> None:
    demo = next(one for one in workspace.demos() if one.name == "trap")
    app = go(open_app(workspace.demo_id(demo)), "find")
    asked = "Are these the ones that tempt"
    assert any(asked in one.value for one in app.markdown), [one.value for one in app.markdown]
    assert not any("The answer:" in one.value for one in app.markdown)
    app.button(key="guess_reveal").click().run()
    assert any("The answer: loans secured by property" in one.value for one in app.markdown), app.exception
    app.button(key="guess_select").click().run()
    assert not app.exception, app.exception
    assert len(selection(app)) == 1_273
    assert any("1,273 of 1,273 records are among them (100%" in one.value.replace("\\", "") for one in app.markdown)
