"""Pages driven without a browser, on a case and a workspace of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

import core
from dashboard import jobs, workspace
from dashboard.components.face import stops

APP = Path(__file__).resolve().parents[2] / "dashboard" / "app.py"
OPENING_S = 60.0


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A workspace of its own; work is waited for, so that no test races it."""
    monkeypatch.setenv("REDRESS_HOME", str(tmp_path))
    monkeypatch.setattr(jobs, "QUICK_S", OPENING_S)
    monkeypatch.setattr(stops, "FINE", 6)
    monkeypatch.setattr(stops, "COARSE", 12)
    st.cache_resource.clear()
    yield tmp_path
    st.cache_resource.clear()


@pytest.fixture
def case_id(home: Path, small_case: core.Case) -> str:
    """The id of the small case, uploaded."""
    return workspace.store(small_case, "Small")


Opener = Callable[..., AppTest]


@pytest.fixture
def open_app(home: Path) -> Opener:
    """Start the app, on a case if one is named."""

    def start(case_id: str | None = None) -> AppTest:
        app = AppTest.from_file(str(APP), default_timeout=OPENING_S)
        if case_id is not None:
            app.query_params["case"] = case_id
        app.run()
        assert not app.exception, app.exception
        return app

    return start
