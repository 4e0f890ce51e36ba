"""Models made by earlier releases of scikit-learn, which wrote the files in tests/data/models: opened, they score as they did there."""

import importlib.util
import json
import tarfile
from dataclasses import asdict
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest

import core
from core.errors import InputError
from core.files.models.allowed import CLASSES, PROVEN_SINCE, canonical
from core.files.models.building.checked import open_checked
from core.files.models.inert import Made, named, parts
from core.files.models.models import read_model, save_model
from core.files.models.proving import prove
from core.files.models.read import read_tree
from core.files.tables.limits import ModelLimits

DATA = Path(__file__).parents[2] / "data" / "models"
RELEASES = range(10)
REFUSED = {
    "logistic_one_vs_rest": ("one class against the rest", 0, 7),
    "logistic_liblinear_three": ("one class against the rest", 0, 7),
    "ada_boost_samme_r": (r"SAMME\.R", 0, 5),
    "ada_boost": ("no AdaBoostClassifier made before 1.3", 0, 2),
    "forest_random_state": ("random_state as a whole number", 0, 9),
    "svc": (r"svm\._classes\.SVC.*recipe: Pipeline\(", 0, 9),
}
"""What is refused, why, and from which release to which."""
PARTLY = (1, 2, 4, 5, 7, 8)
"""Releases of which a third of the kinds goes through every check, in one form each; 1.0, 1.3, 1.6 and 1.9 changed most, and send all."""
FORMS = ("pickle", "joblib", "skops")


def forms(kind: str, number: int, release: int) -> list[str]:
    """Return the files of a kind that are tried: all of them, or one form in turn."""
    tried = (FORMS[(number + release) % 3],) if release in PARTLY else FORMS
    return [name for form in tried if (name := f"{kind}.{form}") in files(release)]


def load_model(data: bytes) -> Any:
    """Open a file as `core.load_model` does, without a process for each of a thousand files."""
    return open_checked(prove({"files": {"the file": data}, "limits": asdict(ModelLimits())})["model"])


@cache
def maker() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make", DATA / "make.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@cache
def files(release: int) -> dict[str, bytes]:
    with tarfile.open(DATA / f"1.{release}.tar.xz") as archive:
        return {member.name: archive.extractfile(member).read() for member in archive}  # type: ignore[union-attr]


@cache
def kinds(release: int) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = json.loads(files(release)["scores.json"])["models"]
    return found


def is_refused(kind: str, release: int) -> bool:
    _, first, last = REFUSED.get(kind, ("", 10, -1))
    return first <= release <= last


def rows(kind: str, about: dict[str, Any]) -> Any:
    table = maker().scored()[about["columns"]]
    return table.to_numpy() if kind.endswith("_unnamed") else table


def scores(model: Any, table: Any) -> Any:
    return model.predict_proba(table) if hasattr(model, "predict_proba") else model.decision_function(table)


@pytest.mark.parametrize("release", RELEASES)
def test_what_opens_scores_as_it_did_where_it_was_made(release: int) -> None:
    held, opened = files(release), 0
    for number, (kind, about) in enumerate(kinds(release).items()):
        for name in [] if is_refused(kind, release) else forms(kind, number, release):
            model, table = load_model(held[name]), rows(kind, about)
            np.testing.assert_allclose(scores(model, table), about["scores"], rtol=1e-12, err_msg=name)
            assert model.predict(table).tolist() == about["predict"], name
            opened += 1
    assert opened >= (70 if release < 2 else 110) // (3 if release in PARTLY else 1) - 3


@pytest.mark.parametrize("release", RELEASES)
def test_what_cannot_keep_its_scores_is_refused_with_its_recipe(release: int) -> None:
    for number, kind in enumerate(kinds(release)):
        if is_refused(kind, release):
            for name in forms(kind, number, release):
                with pytest.raises(InputError, match=REFUSED[kind][0]):
                    load_model(files(release)[name])


@pytest.mark.parametrize("release", RELEASES)
def test_what_opens_is_checked_unlearns_and_saves(release: int, tmp_path: Path) -> None:
    frame, two, three = maker().table()
    for number, (kind, about) in enumerate(kinds(release).items()):
        if is_refused(kind, release) or (release in PARTLY and number % 3 != release % 3):
            continue
        words = kind.endswith("_words")
        labels = (
            np.where(two, "granted", "refused").astype(object) if words else two if about["classes"] == 2 else three
        )
        table = frame[about["columns"]].assign(label=labels, sex=np.where(np.arange(len(frame)) % 2, "f", "m"))
        roles = core.Roles("label", *(["granted"] * 2 if words else [1, 1]), ["sex"], features=about["columns"])
        model = load_model(files(release)[f"{kind}.pickle"])
        case = core.Case(model, train=table, test=table.iloc[:80], roles=roles)
        # PowerTransformer's optimum depends on scipy's release in the eighth digit.
        expected = ("verified", "unverifiable") if kind != "logistic_many_steps" else ("verified", "mismatch")
        assert core.check_provenance(case).status in expected, kind
        after = core.unlearn(case, [3]).case
        assert after.retained.sum() == len(table) - 1
        for one in (model, after.model) if release in (0, 9) else (model,):
            save_model(one, tmp_path / "saved.skops")
            again = load_model((tmp_path / "saved.skops").read_bytes())
            np.testing.assert_array_equal(scores(again, rows(kind, about)), scores(one, rows(kind, about)), kind)


def test_forests_of_before_19_are_unlearned_exactly() -> None:
    frame, two, _ = maker().table()
    names = maker().NUMBERS
    table = frame[names].assign(label=two, sex=np.where(np.arange(len(frame)) % 2, "f", "m"))
    roles = core.Roles("label", 1, 1, ["sex"], features=names)
    for release in (3, 4, 6, 7, 8):
        case = core.Case(load_model(files(release)["forest.joblib"]), train=table, test=table, roles=roles)
        assert core.check_provenance(case).status == "verified"
        result = core.unlearn(case, [3, 20])
        assert (result.method, result.guarantee.value) == ("forest", "exact")


def test_every_class_that_opens_from_a_release_was_shown_to() -> None:
    for release in RELEASES:
        shown = set()
        for name, data in files(release).items():
            if name.endswith(".pickle"):
                found = (
                    canonical(named(p.maker)) for p in parts(read_tree(data, ModelLimits()).tree) if isinstance(p, Made)
                )
                shown |= {one.rpartition(".")[2] for one in found if one in CLASSES}
        claimed = {
            name.rpartition(".")[2]
            for name in CLASSES
            if name.startswith("sklearn.") and PROVEN_SINCE[name.rpartition(".")[2]] <= release < 9
        }
        assert claimed <= shown, f"1.{release}: {sorted(claimed - shown)}"


def test_two_classes_by_softmax_become_todays_model() -> None:
    model, notes = (found := read_model(files(3)["logistic_two_by_softmax.pickle"])).model, found.notes
    about = kinds(3)["logistic_two_by_softmax"]
    assert any("coefficients and C doubled" in note for note in notes)
    frame, two, _ = maker().table()
    # The same optimum as today's model with twice the C.
    again = type(model.steps[-1][1])(C=2.0, tol=1e-10, max_iter=10_000)
    again.fit(model[:-1].transform(frame[about["columns"]]), two)
    np.testing.assert_allclose(model.steps[-1][1].coef_, again.coef_, atol=1e-3)


def test_versions_are_named_and_those_to_come_refused() -> None:
    (note,) = read_model(files(3)["forest.pickle"]).notes
    assert "made with scikit-learn 1.3.2" in note
    assert read_model(files(9)["forest.pickle"]).notes == ()
    data = files(3)["logistic_unnamed.pickle"]
    for version, why in (
        (b"1.990", "use a later Redress"),
        (b"0.240", r"1\.0 or later.*recipe: LogisticRegression\(max_iter=500\)"),
    ):
        with pytest.raises(InputError, match=why):
            load_model(data.replace(b"1.3.2", version))


@pytest.mark.parametrize("name", ["scaler", "encoders", "encoder", "label_encoder", "feature_list", "unfitted"])
def test_what_is_no_model_is_said_to_be_none(name: str) -> None:
    for release in (0, 4, 9):
        for form in ("pickle", "joblib", "skops"):
            if (file := f"{name}.{form}") in files(release):
                with pytest.raises(core.RedressError):
                    load_model(files(release)[file])


def test_a_search_opens_as_the_model_it_found_best() -> None:
    found = read_model(files(2)["search.joblib"])
    assert type(found.model).__name__ == "RandomForestClassifier"
    assert found.notes[0].startswith("The file holds a GridSearchCV")


def mutated(random: np.random.Generator) -> bytes:
    release = int(random.integers(0, 10))
    names = [name for name in files(release) if not name.endswith(".json")]
    data = bytearray(files(release)[names[random.integers(0, len(names))]])
    how = random.integers(0, 3)
    if how == 0:
        return bytes(data[: random.integers(1, len(data))])
    for place in random.integers(0, len(data), int(random.integers(1, 6))):
        data[place] = random.integers(0, 256) if how == 1 else b"NRob\x81.0(tesu]}h"[random.integers(0, 15)]
    return bytes(data)


def test_mutated_files_open_or_are_refused_and_never_raise_anything_else() -> None:
    random, opened = np.random.default_rng(18), 0
    frame = pd.DataFrame(maker().table()[0])
    for _ in range(200):
        data = mutated(random)
        try:
            model = load_model(data)
        except core.RedressError:
            continue
        opened += 1
        # What opens can be used without reaching outside its tables; it may still not fit the rows.
        columns = getattr(model, "feature_names_in_", None)
        if columns is not None and set(columns) <= set(frame):
            try:
                scores(model, frame[list(columns)])
            except (ValueError, TypeError, AttributeError, LookupError, ArithmeticError):
                continue
    assert opened > 5
