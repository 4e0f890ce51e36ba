"""Erasure requests from a list of people to evidence, and saved cases rewritten without their rows."""

from __future__ import annotations

import json
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import core
from core.command_line.main import main
from core.errors import InputError, InputTypeError
from core.files.cases import rewriting

COLUMNS = ["income", "debt"]
GONE = ["Person-0003", "Person-0010", "Person-0031"]
NOBODY = "Person-9999"


def visits(people: int, each: int, first: int, seed: int) -> pd.DataFrame:
    """Return several rows a person, with figures that occur once."""
    draw = np.random.default_rng(seed)
    rows = people * each
    table = pd.DataFrame(draw.normal(size=(rows, 2)), columns=COLUMNS)
    table["sex"] = draw.choice(["f", "m"], rows)
    table["age"] = draw.integers(18, 80, rows)
    table["granted"] = (table["income"] + draw.logistic(size=rows) > 0).astype(int)
    table["person"] = [f"Person-{first + row // each:04}" for row in range(rows)]
    return table


MODELS: dict[str, Any] = {
    "logistic": lambda: make_pipeline(StandardScaler(), LogisticRegression()),
    "neighbors": lambda: KNeighborsClassifier(3),
    "forest": lambda: RandomForestClassifier(5, max_depth=4, random_state=0),
}


def case_of(kind: str = "logistic") -> core.Case:
    """Return a case of people with three rows each; some of them are tested on, too."""
    train, test = visits(100, 3, 0, 1), visits(100, 2, 20, 2)
    model = MODELS[kind]().fit(train[COLUMNS], train["granted"])
    roles = core.Roles("granted", 1, 1, ["sex", "age"], features=COLUMNS, subject_id="person")
    return core.Case(model, train=train, test=test, roles=roles)


def traces(case: core.Case, people: list[str]) -> set[bytes]:
    """Return what would give forgotten people away in a file: names, and figures of theirs as they lie in memory."""
    tables = (case.train, case.test)
    rows = [table[table["person"].isin(people)] for table in tables]
    numbers = {np.float64(one).tobytes() for part in rows for one in part[COLUMNS].to_numpy().ravel()}
    return numbers | {one.encode() for one in people}


def contents(folder: Path) -> bytes:
    """Return all that a folder's files hold: as they are, unzipped, and tables read."""
    found = b""
    for path in sorted(folder.rglob("*")):
        if not path.is_file():
            continue
        found += path.read_bytes()
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                found += b"".join(archive.read(name) for name in archive.namelist())
        if path.suffix == ".parquet":
            table = pd.read_parquet(path)
            found += b"".join(
                np.ascontiguousarray(table[name]).tobytes()
                if table[name].dtype.kind in "if"
                else "\n".join(map(str, table[name])).encode()
                for name in table
            )
    return found


@pytest.mark.parametrize("kind", MODELS)
def test_after_a_final_erasure_no_file_of_the_case_holds_a_row(kind: str, tmp_path: Path) -> None:
    case_of(kind).save(tmp_path / "case")
    case = core.load_case(tmp_path / "case")
    wanted = traces(case, GONE)
    assert all(trace in contents(tmp_path) for trace in wanted), "the search finds what is there"
    done = core.erase(case, GONE, by="subject", finalise=True, folder=tmp_path / "case")
    assert (done.n_records, done.n_test_rows, done.n_dropped) == (9, 2, 9)
    assert done
    assert done.folder == tmp_path / "case"
    held = contents(tmp_path)
    assert [trace for trace in wanted if trace in held] == []
    assert [path.name for path in tmp_path.iterdir()] == ["case"]
    again = core.load_case(tmp_path / "case")
    assert again.data_digest == done.case.data_digest
    assert again.record_ids.tolist() == case.record_ids[~case.train["person"].isin(GONE)].tolist()
    assert again.n_retained == len(again.train) == 291
    assert len(again.test) == 198
    assert done.result is not None
    assert np.allclose(again.scores("explore"), done.result.case.scores("test")[_kept_explore(case)], atol=1e-12)
    nxt = core.unlearn(again, [again.record_ids[0]])
    assert nxt.method == done.result.method, "what removals build on is still there"


def _kept_explore(case: core.Case) -> Any:
    return ~case.confirm_mask & ~case.test["person"].isin(GONE).to_numpy()


def test_an_erasure_is_one_removal_and_finds_every_row() -> None:
    case = case_of()
    done = core.erase(case, [*GONE, NOBODY, GONE[0]], by="subject")
    rows = case.train["person"].isin(GONE).to_numpy()
    assert done.found == tuple(GONE)
    assert done.not_found == (NOBODY,)
    assert done.result is not None
    assert (done.result.case.retained == ~rows).all()
    assert not done, "an id of nobody is no success"
    assert done.proven
    assert not done.finalised
    assert "not final" in done.statement
    assert not any(one in done.statement for one in (*GONE, NOBODY))
    assert repr(done).startswith("Removed, not yet final: 3 of 4 ids found\n")
    assert done.to_frame()["found"].tolist() == [True, True, True, False]


def test_ids_are_found_however_they_are_spelled_and_stay_after_the_erasure() -> None:
    case = case_of()
    done = core.erase(case, ["007", 8, "9.0"], finalise=True)
    assert done.found == (7, 8, 9)
    assert done.case.record_ids.tolist() == [one for one in range(300) if one not in (7, 8, 9)]
    assert [done.case.sensitive_feature(one) for one in ("sex", "age")] == ["sex", "age"]
    assert done.case.groups("age", "explore").names == case.groups("age", "explore").names


def test_a_removal_made_before_is_made_final() -> None:
    case = core.unlearn(case_of(), [30, 31, 32]).case
    done = core.erase(case, [30], finalise=True)
    assert (done.n_records, done.n_removed_before, done.n_dropped, done.result) == (0, 1, 3, None)
    assert done
    assert "3 training rows of this and all earlier removals" in done.statement


def test_an_edited_label_outlives_an_erasure() -> None:
    case = core.edit(case_of(), {5: 0, 6: 1}).case
    done = core.erase(case, [0, 1], finalise=True)
    assert done.case.train_labels.tolist() == case.train_labels[2:].tolist()


def test_ledger_and_pack_say_it_without_an_id(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = core.Ledger(f"sqlite:///{tmp_path}/redress.db", keys=tmp_path / "keys")
    pack, case = tmp_path / "pack.zip", case_of()
    done = core.erase(
        case, GONE, by="subject", finalise=True, actor="Ada", reason="requests", ledger=ledger, report=pack
    )
    assert [one.kind for one in done.entries] == ["removal", "erasure"]
    assert done.entry is not None
    assert done.entry.facts["statement"] == done.statement
    assert done.entry.facts["asked"]["hashes"] == ledger.keys.hidden(GONE, "subject")
    assert ledger.entries_about(GONE[:1], by="subject") == done.entries[:1]
    assert core.verify_evidence(pack, ledger.fingerprint).status == "intact"
    assert not any(one.encode() in contents(tmp_path) for one in GONE)
    assert core.replay_evidence(pack, case, keys=tmp_path / "keys").replayed == (1,)
    monkeypatch.setenv("REDRESS_KEYS", str(tmp_path / "keys"))
    alone = core.erase(case, GONE, by="subject", finalise=True, report=tmp_path / "alone.zip")
    assert core.verify_evidence(alone.report or "", ledger.fingerprint).n_entries == 2


def test_a_model_that_forgot_nothing_deletes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case_of("neighbors").save(tmp_path / "case")
    case = core.load_case(tmp_path / "case")

    def only_says_so(case: core.Case, *args: Any, **options: Any) -> core.UnlearnResult:
        result = core.unlearn(case, *args, **options)
        return replace(result, case=result.case.replace(case.model, result.case.retained))

    monkeypatch.setattr("core.erasure.erase.unlearn", only_says_so)
    ledger = core.Ledger(f"sqlite:///{tmp_path}/redress.db", keys=tmp_path / "keys")
    before = contents(tmp_path / "case")
    done = core.erase(case, GONE, by="subject", finalise=True, folder=tmp_path / "case", ledger=ledger)
    assert not done
    assert not done.proven
    assert "proof of the removal failed" in done.statement
    assert contents(tmp_path / "case") == before
    assert len(ledger) == 0


@pytest.mark.parametrize("step", ["save_case", "_change_names"])
def test_a_full_disk_leaves_the_folder_as_it_was(step: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case_of().save(tmp_path / "case")
    case, before = core.load_case(tmp_path / "case"), contents(tmp_path)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(rewriting, step, full)
    with pytest.raises(InputError, match=r"No space left.*as it was"):
        core.erase(case, [1], finalise=True, folder=tmp_path / "case")
    assert contents(tmp_path) == before
    assert [path.name for path in tmp_path.iterdir()] == ["case"]


def test_folders_change_names_without_the_one_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case_of().save(tmp_path / "case")
    monkeypatch.setattr(rewriting, "_exchanged", lambda *_: False)
    core.erase(core.load_case(tmp_path / "case"), GONE, by="subject", finalise=True, folder=tmp_path / "case")
    assert len(core.load_case(tmp_path / "case").train) == 291
    assert [path.name for path in tmp_path.iterdir()] == ["case"]


def test_a_folder_is_rewritten_only_by_whoever_saw_its_last_version(tmp_path: Path) -> None:
    case_of().save(tmp_path / "case")
    case = core.load_case(tmp_path / "case")
    core.erase(case, [1], finalise=True, folder=tmp_path / "case")
    with pytest.raises(InputError, match="holds another version"):
        core.erase(case, [2], finalise=True, folder=tmp_path / "case")
    (tmp_path / "case" / "people.csv").write_text("Person-0003")
    with pytest.raises(InputError, match=r"Got 'people\.csv'.*move them out"):
        core.erase(core.load_case(tmp_path / "case"), [2], finalise=True, folder=tmp_path / "case")


@pytest.mark.parametrize(
    ("ids", "options", "error", "words"),
    [
        ([], {}, InputError, "must name somebody. Got an empty list"),
        ([NOBODY], {"by": "subject"}, InputError, "No row of either table"),
        (range(300), {}, InputError, "names all 300"),
        ("Person-0003", {}, InputTypeError, "given as a list"),
        (None, {}, InputTypeError, "given as a list"),
        ([[1]], {}, InputTypeError, "flat list"),
        ([1], {"by": "people"}, InputError, "by"),
        ([1], {"ledger": "sqlite:///x.db"}, InputTypeError, r"core\.Ledger"),
        ([1], {"folder": "case"}, InputError, "finalise=True"),
        ([1], {"report": "no/such/folder/pack.zip"}, InputError, "make its folder"),
        ([1], {"finalise": "yes"}, InputError, "finalise"),
    ],
)
def test_what_cannot_be_carried_out_is_a_sentence(ids: Any, options: dict[str, Any], error: type, words: str) -> None:
    with pytest.raises((error, InputTypeError), match=words):
        core.erase(case_of(), ids, **options)


def test_a_nightly_job_ends_with_a_status(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REDRESS_KEYS", str(tmp_path / "keys"))
    case_of().save(tmp_path / "case")
    place, people = str(tmp_path / "case"), tmp_path / "list.csv"
    people.write_text("person\n" + "\n".join([*GONE, NOBODY]))
    call = ["erase", place, "--forget", str(people), "--finalise"]
    said = ["--ledger", f"sqlite:///{tmp_path}/redress.db", "--actor", "Ada", "--reason", "requests of May"]
    assert main([*call, *said, "--report", str(tmp_path / "out.zip"), "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["not_found"] == [NOBODY]
    assert (found["by"], found["n_records"], found["finalised"]) == ("subject", 9, True)
    assert main(["verify-evidence", str(tmp_path / "out.zip")]) == 0
    people.write_text("person\nPerson-0050")
    assert main([*call, *said]) == 0
    assert "Erased: 1 of 1 ids found" in capsys.readouterr().out
    assert len(core.load_case(place).train) == 288
    assert main(call) == 2
    assert "error: An erasure must name somebody whose rows are here." in capsys.readouterr().err
    assert main(["erase", "credit", "--forget", str(people), "--finalise"]) == 2
    assert "--finalise must rewrite a folder of yours" in capsys.readouterr().err
