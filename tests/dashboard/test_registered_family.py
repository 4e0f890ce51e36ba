"""Pages serve a family that was registered, or say in one sentence what it lacks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

import core
from dashboard import workspace
from tests.dashboard.conftest import Opener
from tests.dashboard.test_pages import go, strip_rows
from tests.families.contributed import NAME, bayes, contributed

NO_INFLUENCE = f"influence is not known for {NAME}. Records can still be removed."


@pytest.fixture(scope="module", autouse=True)
def _family() -> Iterator[None]:
    with contributed():
        yield


@pytest.fixture
def case() -> core.Case:
    return bayes()


@pytest.fixture
def app(open_app: Opener, case: core.Case) -> AppTest:
    return open_app(workspace.store(case, "Bayes"))


def said(app: AppTest) -> str:
    """Return all that the page says, without what Markdown is escaped by."""
    kinds = (app.info, app.markdown, app.caption, app.error, app.warning)
    return "\n".join(one.value for kind in kinds for one in kind).replace("\\", "")


def find_start(app: AppTest) -> Any:
    """Return what a search starts from."""
    return next(one for one in app.segmented_control if one.key == "find_start")


def test_start_says_that_provenance_is_unverifiable_and_why(app: AppTest) -> None:
    assert f"The model cannot be checked: nothing is known of what {NAME} keeps of its rows." in said(app)


def test_check_shows_every_tab(app: AppTest) -> None:
    go(app, "check")
    for tab in ("Gaps", "Intersections", "Scores", "Threshold and cost"):
        app.session_state["check_tab"] = tab
        app.run()
        assert not app.exception, (tab, app.exception)
        assert app.get("plotly_chart"), tab


def test_find_says_that_influence_is_not_known_and_offers_every_start(app: AppTest) -> None:
    go(app, "find")
    assert NO_INFLUENCE in said(app)
    assert len(app.dataframe) == 1
    for name in find_start(app).options:
        find_start(app).set_value(name).run()
        assert not app.exception, (name, app.exception)
    find_start(app).set_value("A list").run()
    assert "CSV file of ids" in [one.label for one in app.get("file_uploader")]


@pytest.mark.parametrize(
    ("start", "button", "says"),
    [
        (
            "Rules",
            "Explain the gap",
            "Rules are predicted by a logistic regression and measured by removing their records.",
        ),
        ("Decisions", "Find the records that caused them", NO_INFLUENCE),
        ("Labels", "Rank suspicious labels", f"self-influence is not known for {NAME}."),
    ],
)
def test_a_search_that_is_started_serves_it_or_says_what_is_not_known(
    app: AppTest, start: str, button: str, says: str
) -> None:
    go(app, "find")
    find_start(app).set_value(start).run()
    before = said(app).count(says)
    next(one for one in app.button if one.label == button).click().run()
    assert not app.exception, app.exception
    assert said(app).count(says) == before + 1


def test_a_record_opens_without_reasons_and_says_so(app: AppTest, case: core.Case) -> None:
    go(app, "find")
    app.session_state["record"] = case.record_ids[3]
    app.run()
    assert not app.exception, app.exception
    app.toggle(key="find_model_reasons").set_value(True).run()
    assert not app.exception, app.exception
    assert said(app).count(f"they are not known for {NAME}.") >= 1


def test_a_plan_says_that_it_goes_by_influence(app: AppTest) -> None:
    go(app, "remove")
    assert f"A plan goes by influence. No attribution method fits this model: {NO_INFLUENCE}" in said(app)


def test_records_leave_by_its_own_way(app: AppTest, case: core.Case) -> None:
    go(app, "find")
    app.selectbox(key="find_column").set_value("job").run()
    next(one for one in app.multiselect if one.key.startswith("find_values")).set_value(["nurse"]).run()
    app.button(key="find_all").click().run()
    go(app, "remove")
    assert NO_INFLUENCE in said(app)
    how = next(one for one in app.radio if one.key == "remove_method")
    assert "subtract: exact" in how.options
    assert "does not fit this case" not in said(app), "nobody asked about the methods of other families"
    app.button(key="remove_apply").click().run()
    assert not app.exception, app.exception
    gone = int((case.train["job"] == "nurse").sum())
    assert strip_rows(app)["now"][3] == str(gone)
    assert "subtract" in said(app)
