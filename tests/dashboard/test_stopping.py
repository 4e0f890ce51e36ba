"""Find says where along the ranking of harmful records to stop, and takes as many."""

from __future__ import annotations

import core
from tests.dashboard.conftest import Opener
from tests.dashboard.test_pages import go, selection, strip_rows
from tests.dashboard.test_searches import METRIC, clicked, texts


def test_the_first_records_worth_taking_are_named_and_taken(
    open_app: Opener, case_id: str, small_case: core.Case
) -> None:
    app = go(open_app(case_id), "find")
    found = core.take_harmful(small_case, METRIC)
    assert found.expected is not None
    said = texts(app)
    assert f"Stop at {len(found.forget)}" in said
    assert f"{found.before:.3f} to {found.after:.3f}, measured on the {found.n_rows:,} rows searched" in said
    assert found.expected.sentence in said
    clicked(app, "find_curve_take")
    assert selection(app) == tuple(found.forget)
    assert app.number_input(key="find_number").value == len(found.forget)
    assert strip_rows(app)["preview"][3] == str(len(found.forget))


def test_a_filter_hides_the_advice_on_the_whole_ranking(open_app: Opener, case_id: str) -> None:
    app = go(open_app(case_id), "find")
    app.multiselect(key="find_groups_sex").set_value([app.multiselect(key="find_groups_sex").options[0]]).run()
    assert "Stop at" not in texts(app)
