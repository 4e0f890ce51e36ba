"""A model in several files, dropped with its tables: put together, said, opened."""

from __future__ import annotations

import io
import time

import joblib
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import LabelEncoder, MinMaxScaler, StandardScaler
from streamlit.testing.v1 import AppTest

from dashboard import cached, jobs
from tests.conftest import make_table
from tests.dashboard.conftest import Opener

FEATURES = ["sex", "age", "income", "debt"]
Files = dict[str, tuple[str, bytes, str]]


def saved(part: object) -> bytes:
    out = io.BytesIO()
    joblib.dump(part, out)
    return out.getvalue()


def tables() -> tuple[pd.DataFrame, pd.DataFrame]:
    train, test = (make_table(n, seed).fillna({"income": 0, "debt": 0}) for n, seed in ((400, 3), (300, 4)))
    return train, test


@pytest.fixture(scope="module")
def files() -> Files:
    train, test = tables()
    encoders = {"sex": LabelEncoder().fit(train["sex"])}
    rows = train[FEATURES].assign(sex=encoders["sex"].transform(train["sex"]))
    scaler = StandardScaler().fit(rows)
    model = LogisticRegression(solver="newton-cholesky", tol=1e-10).fit(scaler.transform(rows), train["granted"])
    parts = {"model": model, "scaler": scaler, "encoders": encoders}
    found = {name: (f"{name}.pkl", saved(part), "application/octet-stream") for name, part in parts.items()}
    for name, table in (("train", train), ("test", test)):
        found[name] = (f"{name}.csv", table.to_csv(index=False).encode(), "text/csv")
    return found


def drop(app: AppTest, *files: tuple[str, bytes, str], into: str = "drop") -> AppTest:
    next(one for one in app.file_uploader if one.key.startswith(into)).set_value(list(files)).run()
    assert not app.exception, app.exception
    return app


def shown(app: AppTest) -> str:
    return " | ".join(one.value.replace("\\", "") for kind in (app.caption, app.error) for one in kind)


def test_files_dropped_at_once_open_a_case_that_is_verified(open_app: Opener, files: Files) -> None:
    app = drop(open_app(), *(files[name] for name in ("scaler", "train", "encoders", "model", "test")))
    said = shown(app)
    assert "train.csv: 400 rows" in said
    assert "scaler.pkl and 2 other files: LogisticRegression" in said
    assert "The model was put together: LabelEncoder" not in said
    assert "OrdinalEncoder of 'sex' > StandardScaler (scaler.pkl) > LogisticRegression (model.pkl)" in said
    assert "import" in app.code[0].value
    app.button(key="open").click().run()
    assert not app.exception, app.exception
    assert "verified" in " ".join(one.value for one in app.markdown)
    case = cached.case(app.session_state["work"])
    assert case.features == tuple(FEATURES)
    app.switch_page("app_pages/check/page.py").run()
    assert not app.exception, app.exception


def test_a_file_taken_back_is_forgotten_and_one_in_its_own_field_stays(open_app: Opener, files: Files) -> None:
    app = drop(open_app(), files["train"], files["scaler"])
    assert "A StandardScaler, not a model: add the model it belongs to" in shown(app)
    drop(app, files["test"], into="upload_test")
    drop(app, files["model"], files["scaler"], files["encoders"])
    assert sorted(set(app.session_state["draft"]) & {"train", "test", "model"}) == ["model", "test"]
    drop(app)
    assert sorted(set(app.session_state["draft"]) & {"train", "test", "model"}) == ["test"]


def test_the_training_table_decides_when_it_comes_after_the_model(open_app: Opener) -> None:
    train, test = tables()
    numbers = ["age", "income", "debt"]
    first, second = StandardScaler(), MinMaxScaler()
    rows = second.fit_transform(first.fit_transform(train[numbers].to_numpy()))
    model = LogisticRegression().fit(rows, train["granted"])
    parts = {"a": model, "b": second, "c": first, "names": numbers}
    files = [(f"{name}.pkl", saved(part), "") for name, part in parts.items()]
    app = drop(open_app(), *files, into="upload_model")
    assert "2 orders fit" in shown(app)
    drop(app, ("train.csv", train.to_csv(index=False).encode(), "text/csv"), into="upload_train")
    assert "StandardScaler before MinMaxScaler was chosen among 2 orders that fit" in shown(app)
    drop(app, ("other.csv", test.to_csv(index=False).encode(), "text/csv"), into="upload_train")
    assert "was not fitted on these rows" in shown(app)


@pytest.mark.parametrize(
    ("names", "says"),
    [
        (("scaler", "encoders"), "must be the fitted classifier. Got a StandardScaler (scaler.pkl)"),
        (("model", "model"), "must hold one model. Got 2"),
        (("train", "test", "train"), "can hold two tables, one for training and one for testing. Got 3"),
        (("model", *["scaler"] * 6), "at most 6 files. Got 7"),
    ],
)
def test_what_is_no_one_model_is_one_sentence(
    open_app: Opener, files: Files, names: tuple[str, ...], says: str
) -> None:
    app = drop(open_app(), *(files[name] for name in names))
    assert len(app.error) == 1
    assert says in shown(app)


def test_reading_that_takes_long_ends_with_the_table_at_hand(
    open_app: Opener, files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "QUICK_S", 0.0)
    app = drop(open_app(), *files.values())
    for _ in range(100):
        model = app.session_state["draft"].get("model")
        if model is not None and model.put_with and not app.session_state["jobs"]:
            break
        time.sleep(0.05)
        app.run()
    assert not app.exception, app.exception
    assert app.session_state["draft"]["model"].put_with == app.session_state["draft"]["train"].number
