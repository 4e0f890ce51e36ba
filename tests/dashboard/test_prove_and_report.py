"""The pages that prove a removal and write it down."""

from __future__ import annotations

from pathlib import Path

from streamlit.testing.v1 import AppTest

import core
from dashboard import workspace
from tests.dashboard.conftest import Opener
from tests.dashboard.test_pages import go


def removed(app: AppTest, n: int) -> AppTest:
    """Remove the most harmful records through the pages."""
    go(app, "find")
    app.number_input(key="find_number").set_value(n).run()
    go(app, "remove")
    app.button(key="remove_apply").click().run()
    if [one for one in app.button if one.key == "remove_sure"]:
        app.button(key="remove_sure").click().run()
    return app


def test_without_a_removal_both_pages_say_where_to_go(open_app: Opener, case_id: str) -> None:
    app = open_app(case_id)
    for page in ("prove", "report"):
        go(app, page)
        assert "Nothing was removed yet" in app.info[0].value


def test_a_removal_is_proven_written_down_and_verified(open_app: Opener, case_id: str, tmp_path: Path) -> None:
    app = removed(open_app(case_id), 60)
    go(app, "prove")
    app.button(key="ask_proof").click().run()
    assert not app.exception, app.exception
    assert any("Forgotten, as far as these checks can tell" in one.value for one in app.success)
    go(app, "report")
    app.button(key="report_write").click().run()
    assert any("must say who writes it and why" in one.value for one in app.error)
    app.text_input(key="report_actor").set_value("Ada").run()
    app.text_input(key="report_reason").set_value("request 17").run()
    app.button(key="report_write").click().run()
    assert not app.exception, app.exception
    assert any("chained to what was before" in one.value for one in app.success)
    ledger = workspace.ledger(case_id)
    assert len(ledger) == 1
    assert ledger.verify()
    pack = core.export_evidence(ledger, tmp_path / "evidence.zip")
    assert core.verify_evidence(pack, ledger.fingerprint).status == "intact"
