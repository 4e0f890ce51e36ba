"""A metric that only its rows know is on the pages: nothing else names it."""

from __future__ import annotations

import pytest

from core.metrics import METRICS, catalog, rates
from core.metrics.metric import Metric
from core.metrics.rates import TN, Rate
from tests.dashboard.conftest import Opener
from tests.dashboard.test_pages import go, strip_rows

RATE, GAP = "rate_of_the_test", "rate_of_the_test_difference"
LABEL = "Gap in right refusals"
DECISION_0 = ((1, 0), (1, 0))


@pytest.fixture
def new_metric(monkeypatch: pytest.MonkeyPatch) -> None:
    rate = Metric(
        RATE, "rate", "cells", (RATE,), "higher", "low", "Right refusals", "P(not Y | not D, g)",
        listed=True, is_utility=True, share="of those decided {bad}, the share with {bad}",
    )  # fmt: skip
    gap = Metric(GAP, "difference", "cells", (RATE,), "lower", "low", LABEL, "max_g - min_g", listed=True)
    monkeypatch.setitem(rates._ROWS, RATE, Rate(((TN, DECISION_0),), "decision"))
    for row in (rate, gap):
        monkeypatch.setitem(catalog._ROWS, row.name, row)


def strip_choice(app):  # type: ignore[no-untyped-def]
    return next(one for one in app.selectbox if one.label == "Gap")


@pytest.mark.usefixtures("new_metric")
def test_a_new_row_is_on_the_strip_on_check_and_among_utilities(open_app: Opener, case_id: str, small_case) -> None:  # type: ignore[no-untyped-def]
    app = go(open_app(case_id), "check")
    assert LABEL in strip_choice(app).options
    rate = next(one for one in app.selectbox if one.label == "Rate")
    assert "Right refusals" in rate.options
    app.session_state["check_tab"] = "Gaps"
    app.run()
    assert any(LABEL in table.value.index for table in app.dataframe)
    strip_choice(app).select(GAP).run()
    assert not app.exception, app.exception
    assert app.session_state["work"].metric == GAP
    assert any(
        "of those decided another granted, the share with another granted" in one.proto.body for one in app.get("html")
    )
    favorable = small_case.y("explore") == 1
    refused = ~small_case.decisions("explore")
    groups = small_case.groups("sex", "explore").codes
    shares = [(~favorable)[refused & (groups == code)].mean() for code in range(2)]
    assert strip_rows(app)["now"][0] == f"{max(shares) - min(shares):.3f}"
    app = go(app, "remove")
    utility = next(one for one in app.selectbox if one.label == "Utility")
    assert "right refusals" in utility.options


def test_without_the_row_nothing_speaks_of_it(open_app: Opener, case_id: str) -> None:
    assert GAP not in METRICS
    assert LABEL not in strip_choice(go(open_app(case_id), "check")).options
