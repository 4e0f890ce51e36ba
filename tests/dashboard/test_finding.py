"""Check opens on the largest gap beyond chance, in a sentence with counts."""

from __future__ import annotations

import core
from core.words import plain
from tests.dashboard.conftest import Opener
from tests.dashboard.test_pages import go


def test_the_finding_is_that_of_the_library(open_app: Opener, case_id: str, small_case: core.Case) -> None:
    found = core.audit(small_case, on="test").finding
    assert found is not None
    app = go(open_app(case_id), "check")
    head = next(one.value for one in app.markdown if one.value.startswith("####"))
    assert plain(f"by {found.sensitive_feature}") in head
    assert "looked at" in head
    if app.button(key="check_finding"):
        app.button(key="check_finding").click().run()
        assert not app.exception, app.exception
        work = app.session_state["work"]
        assert work.metric == found.metric
