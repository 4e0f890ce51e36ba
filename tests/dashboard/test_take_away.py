"""Take away on the pages: every file is made on demand, and opens again."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

import core
from dashboard import cached
from dashboard.components import take_away
from tests.dashboard.conftest import Opener
from tests.dashboard.test_other_tabs import remove


def test_every_file_taken_away_is_of_the_version_in_force(
    open_app: Opener, case_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    offered: dict[str, Callable[[], bytes]] = {}
    offer = take_away._offer

    def seen(label: str, make: Callable[[], bytes], name: str, kind: str) -> None:
        offered[name] = make
        offer(label, make, name, kind)

    monkeypatch.setattr(take_away, "_offer", seen)
    app = open_app(case_id)
    assert not offered, "nothing was changed yet"
    remove(app, 15)
    names = {one.proto.label for one in app.get("download_button")}
    assert {"Model (skops)", "Model (joblib)", "The change as code (zip)"} <= names
    assert any("opening it with joblib runs what stands in it" in one.value for one in app.caption)
    now = cached.case(app.session_state["work"])
    scores = now.model.predict_proba(now.test[now.model.feature_names_in_])
    for name in ("model.skops", "model.joblib"):
        again = core.load_model(offered[name]())
        assert np.array_equal(again.predict_proba(now.test[now.model.feature_names_in_]), scores)
    for name in ("train_cleaned.csv", "train_cleaned.parquet"):
        back = core.read_table(offered[name]()).frame
        assert pd.Index(back[now.roles.record_id or "record"]).tolist() == now.retained_ids.tolist()
    assert sorted(core.read_ids(now, offered["removed_ids.csv"]()).forgotten) == sorted(now.forgotten_ids)
    with zipfile.ZipFile(io.BytesIO(offered["change.zip"]())) as archive:
        assert {"redo.py", "removed_1.json", "case/case.toml"} <= set(archive.namelist())
    page = offered["before_after.html"]().decode()
    assert "15 records removed by " in page
