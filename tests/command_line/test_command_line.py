import json
import subprocess
import sys
from argparse import Namespace
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestClassifier

import core
from core.attribution.expected import ExpectedGain
from core.command_line import commands
from core.command_line.main import main
from core.families.registry import FAMILIES
from core.unlearning import compiling

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def folder(small_case: core.Case, tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(small_case.save(tmp_path_factory.mktemp("case")))


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    status = main(arguments)
    out, err = capsys.readouterr()
    assert (status, err) == (0, "")
    return out


def run_json(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    return json.loads(run(capsys, *arguments, "--json"))


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    status = main(arguments)
    out, err = capsys.readouterr()
    assert status == 2
    assert out == ""
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert "Traceback" not in err
    return err


def test_audit_takes_weights_strata_and_a_reference(
    capsys: pytest.CaptureFixture[str], small_case: core.Case, tmp_path: Path
) -> None:
    test = small_case.test.assign(w=np.random.default_rng(0).lognormal(0, 0.5, 1200))
    case = core.Case(small_case.model, small_case.train, test, small_case.roles)
    folder = str(case.save(tmp_path / "weighted"))
    options = ("--sensitive-feature", "sex", "--on", "test", "--resamples", "100")
    asked = (*options, "--weight", "w", "--strata", "job", "--reference", "sex=m")
    found = run_json(capsys, "audit", folder, *asked)
    report = core.audit(
        case,
        on="test",
        sensitive_feature="sex",
        n_resamples=100,
        sample_weight="w",
        control_features=["job"],
        reference={"sex": "m"},
    )
    assert report.strata is not None
    assert report.against is not None
    assert [row["reference_value"] for row in found["gaps"]] == report.gaps["reference_value"].tolist()
    assert [row["value"] for row in found["strata"]["pooled"]] == report.strata.pooled["value"].tolist()
    assert [row["ratio"] for row in found["against"]] == report.against["ratio"].tolist()
    assert found["n_effective"] == report.n_effective
    text = run(capsys, "audit", folder, *asked)
    for part in ("weighted by w, worth", "Against the reference group", "Gaps with job mixed alike", "Gaps within job"):
        assert part in text
    assert "write sex=male" in refused(capsys, "audit", folder, "--reference", "m")
    assert "Did you mean 'job'" in refused(capsys, "audit", folder, "--strata", "jib")


def test_audit_decisions_needs_a_table_alone(
    capsys: pytest.CaptureFixture[str], small_case: core.Case, tmp_path: Path
) -> None:
    decided = small_case.decisions("test")
    table = small_case.test[["sex", "age", "job", "granted"]].assign(decided=np.where(decided, "yes", "no"))
    path = tmp_path / "decided.csv"
    table.to_csv(path, index=False)
    options = ("--decisions", "decided", "--favorable", "yes", "--sensitive-feature", "sex", "--resamples", "100")
    found = run_json(capsys, "audit-decisions", str(path), *options, "--where", "job = 'cook'")
    roles = core.Roles("", "yes", "yes", ["sex"])
    report = core.audit_decisions(table, roles, decisions="decided", where="job = 'cook'", n_resamples=100)
    assert [row["value"] for row in found["gaps"]] == report.gaps["value"].tolist()
    assert found["n"] == int((table["job"] == "cook").sum())
    table.assign(sex=np.where(table.index % 2, table["sex"], table["sex"].str.upper() + " ")).to_csv(path, index=False)
    assert len(run_json(capsys, "audit-decisions", str(path), *options)["by_group"]) == 4
    assert len(run_json(capsys, "audit-decisions", str(path), *options, "--merge", "sex")["by_group"]) == 2
    assert "Got 'age'; write born=" in refused(capsys, "audit-decisions", str(path), *options, "--ages-on", "age")
    table.to_csv(path, index=False)
    labelled = (
        "--target",
        "granted",
        "--decisions",
        "bit",
        "--favorable",
        "1",
        "--sensitive-feature",
        "sex",
        "--resamples",
        "100",
    )
    table.assign(bit=decided.astype(int)).to_csv(path, index=False)
    own = run_json(capsys, "audit-decisions", str(path), *labelled)
    expected = core.audit(small_case, on="test", sensitive_feature="sex", n_resamples=100)
    names = [row["metric"] for row in own["gaps"]]
    np.testing.assert_allclose(
        [row["value"] for row in own["gaps"]], expected.gaps.loc[[(one, "sex") for one in names], "value"]
    )
    assert "equal_opportunity_difference" in names
    assert "two values, or numbers" in refused(
        capsys, "audit-decisions", str(path), "--decisions", "job", "--where", "job is not missing", *labelled[4:]
    )


def test_conditions_choose_the_rows_of_every_command(
    capsys: pytest.CaptureFixture[str], folder: str, small_case: core.Case
) -> None:
    found = run_json(capsys, "audit", folder, "--on", "test", "--resamples", "200", "--where", "sex = 'f'")
    assert (found["n"], found["where"]) == (int((small_case.test["sex"] == "f").sum()), "sex = 'f'")
    where = "job = 'cook'"
    ranked = run_json(capsys, "influence", folder, "--metric", "accuracy", "--where", where, "--top", "3")
    effects = core.influence(small_case, "accuracy", where=where)
    assert [one["id"] for one in ranked["most_harmful"]] == list(core.harmful(effects)[:3])
    removed = run_json(capsys, "unlearn", folder, "--ids", "p1,p2", "--where", where)
    after = core.unlearn(small_case, ["p1", "p2"]).case
    shift = core.compare(small_case, after, metric="accuracy", where=where)
    own = [row for row in removed["comparison"] if row["metric"] == "accuracy"]
    assert own[0]["before"] == shift["before"].iloc[0]
    assert "Did you mean 'job'" in refused(capsys, "audit", folder, "--where", "jop = 'cook'")


def test_audit_gives_the_librarys_numbers(
    capsys: pytest.CaptureFixture[str], folder: str, small_case: core.Case
) -> None:
    found = run_json(capsys, "audit", folder, "--on", "test", "--resamples", "200", "--seed", "3")
    report = core.audit(small_case, on="test", n_resamples=200, seed=3)
    assert found["n"] == 1200
    gaps = pd.DataFrame(found["gaps"]).set_index(["metric", "sensitive_feature"])
    np.testing.assert_array_equal(gaps["value"], report.gaps["value"])
    np.testing.assert_array_equal(gaps["low"], report.gaps["low"])
    assert len(found["by_group"]) == len(report.by_group)
    assert found["overall"]["accuracy"] == report.overall["accuracy"]
    assert found["notes"] == list(report.notes)


def test_audit_prints_aligned_tables(capsys: pytest.CaptureFixture[str], folder: str, small_case: core.Case) -> None:
    text = run(
        capsys,
        "audit",
        folder,
        "--metric",
        "demographic_parity_difference",
        "--sensitive-feature",
        "sex",
        "--resamples",
        "100",
    )
    report = core.audit(small_case, "demographic_parity_difference", sensitive_feature=["sex"], n_resamples=100)
    assert report.on == "test", "the library, the pages and the command describe a model as opened on the same rows"
    assert "audited on test" in text
    assert f"{report.gaps['value'].iloc[0]:.4f} [" in text
    assert "By sex\n" in text
    assert "age" not in text
    table = text.split("By sex\n")[1].split("\n\n")[0].splitlines()
    assert len({line.index("[") for line in table[1:]}) == 1
    intersection = run_json(capsys, "audit", folder, "--sensitive-feature", "sex & age", "--resamples", "100")
    assert {row["sensitive_feature"] for row in intersection["gaps"]} == {"sex & age"}


def test_influence_lists_the_most_harmful(
    capsys: pytest.CaptureFixture[str], folder: str, small_case: core.Case
) -> None:
    effects = core.influence(small_case, "equal_opportunity_difference", sensitive_feature="sex")
    found = run_json(capsys, "influence", folder, "--sensitive-feature", "sex", "--top", "1%")
    assert [row["id"] for row in found["most_harmful"]] == core.harmful(effects)[:15].tolist()
    np.testing.assert_allclose(found["most_harmful"][0]["change"], effects.min(), rtol=1e-6)
    lines = run(capsys, "influence", folder, "--top", "3").splitlines()
    assert [line.split()[0] for line in lines[-3:]] == core.harmful(effects)[:3].tolist()


def test_influence_says_which_records_were_rescored(
    capsys: pytest.CaptureFixture[str], folder: str, small_case: core.Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "Records are re-scored, by removing each alone, where influence is a rough guide" in refused(
        capsys, "influence", folder, "--rescore", "2"
    )
    effects, asked = core.influence(small_case), []
    effects.attrs["rescored"] = tuple(core.harmful(effects)[:2])
    monkeypatch.setattr(core, "influence", lambda *_, rescore, **__: asked.append(rescore) or effects)
    lines = run(capsys, "influence", folder, "--rescore", "2", "--top", "3").splitlines()
    assert [line.split(maxsplit=2)[2] for line in lines[-3:]] == ["really removed", "really removed", "predicted"]
    found = run_json(capsys, "influence", folder, "--rescore", "2", "--top", "3")["most_harmful"]
    assert [row["rescored"] for row in found] == [True, True, False]
    assert asked == [2, 2]


def test_unlearn_the_most_harmful_and_save(
    capsys: pytest.CaptureFixture[str], folder: str, small_case: core.Case, tmp_path: Path
) -> None:
    found = run_json(capsys, "unlearn", folder, "--most-harmful", "1%", "--save", str(tmp_path / "after"))
    ids = core.harmful(core.influence(small_case))[:15]
    result = core.unlearn(small_case, ids)
    assert sorted(found["forgotten"]) == sorted(ids)
    assert (found["n_forgotten"], found["method"], found["guarantee"]) == (15, "newton", "certified")
    assert 0 < found["relative_bound"] <= 1e-6
    loaded = core.load_case(found["saved"])
    assert sorted(loaded.forgotten_ids) == sorted(ids)
    np.testing.assert_allclose(loaded.scores("test"), result.case.scores("test"), atol=1e-9)
    change = {(row["metric"], row["sensitive_feature"]): row["change"] for row in found["comparison"]}
    assert change["equal_opportunity_difference", "sex"] < 0
    side = core.guardrails(small_case, result.case)
    assert found["guardrails"]["verdict"] == side.verdict
    assert found["guardrails"]["sentence"] == side.sentence
    assert len(found["guardrails"]["people"]) == len(side.people)
    assert core.load_case(folder).n_retained == 1500
    one = run_json(capsys, "unlearn", folder, "--most-harmful", "1%", "--sensitive-feature", "age")
    assert {row["sensitive_feature"] for row in one["comparison"]} == {"(all)", "age"}
    assert sorted(one["forgotten"]) != sorted(ids)


def test_unlearn_prints_the_guarantee_and_the_table(capsys: pytest.CaptureFixture[str], folder: str) -> None:
    text = run(
        capsys, "unlearn", folder, "--ids", "p3,p7", "--on", "confirm", "--metric", "false_negative_rate_difference"
    )
    assert "records removed  2 of 1,500\n" in text
    assert "guarantee        certified: " in text
    assert "coefficients and intercept within " in text
    assert "Before and after, on confirm\n" in text
    assert "\nfalse_negative_rate_difference " in text
    assert "\naccuracy " in text
    assert "\nNo clear change: the gap in people labelled good who are refused by sex goes from " in text
    assert "No verdict: The metric of guardrails must be a gap" in run(
        capsys, "unlearn", folder, "--ids", "p3", "--metric", "accuracy"
    )
    exact = run(capsys, "unlearn", folder, "--ids", "p3", "--method", "refit")
    assert "guarantee        exact: " in exact
    assert "bound            none" in exact


@pytest.mark.parametrize(
    "content",
    [
        "p3\np7\n",
        "person\np3\np7\n",
        "anything\np3\np7\n",
        "\ufeffnote;person\nx;p3\ny;p7\n",
        "p3\np7",
        "\nperson,note\np3,a\n\np7,b\n",
    ],
)
def test_ids_from_a_file(small_case: core.Case, content: str, tmp_path: Path) -> None:
    path = tmp_path / "ids.csv"
    path.write_text(content, encoding="utf-8")
    asked = Namespace(most_harmful=None, ids=None, forget=str(path), by="record")
    assert commands._forget(small_case, asked) == (["p3", "p7"], [])


def test_an_id_listed_twice_is_forgotten_once_and_noted(
    capsys: pytest.CaptureFixture[str], folder: str, tmp_path: Path
) -> None:
    path = tmp_path / "ids.csv"
    path.write_text("p3\np7\np3\n", encoding="utf-8")
    found = run_json(capsys, "unlearn", folder, "--forget", str(path))
    assert found["forgotten"] == ["p3", "p7"]
    assert found["notes"][0] == "1 was listed more than once: 'p3'."


def test_groups_that_change_places_are_explained(small_case: core.Case) -> None:
    shift = core.compare(small_case, small_case, metric="equal_opportunity_difference", sensitive_feature=["sex"])
    assert "*" not in commands._shift_table(shift)
    turned = shift.assign(reversed=True)
    assert " *" in commands._shift_table(turned)
    assert "*" not in commands._shift_table(turned.assign(after=0.00004)), "0.0000 has no other way"
    assert " *" in commands._shift_table(turned.assign(after=0.0004))


def test_numbers_as_ids_and_subjects(capsys: pytest.CaptureFixture[str], small_case: core.Case, tmp_path: Path) -> None:
    train = small_case.train.assign(person=np.arange(1500), account=np.arange(1500) // 3)
    roles = small_case.roles.with_(subject_id="account")
    folder = str(core.Case(small_case.model, train, small_case.test, roles).save(tmp_path / "case"))
    assert run_json(capsys, "unlearn", folder, "--ids", "5,17")["forgotten"] == [5, 17]
    assert run_json(capsys, "unlearn", folder, "--ids", "2", "--by", "subject")["forgotten"] == [6, 7, 8]
    assert "Ids of this case are numbers such as 0" in refused(capsys, "unlearn", folder, "--ids", "x")


def test_positions_as_ids(capsys: pytest.CaptureFixture[str], small_case: core.Case, tmp_path: Path) -> None:
    roles = small_case.roles.with_(record_id=None)
    folder = str(core.Case(small_case.model, small_case.train, small_case.test, roles).save(tmp_path / "case"))
    ids = tmp_path / "ids.csv"
    ids.write_text("record\n0\n1499\n")
    assert run_json(capsys, "unlearn", folder, "--forget", str(ids))["forgotten"] == [0, 1499]


def test_removals_chain_through_saved_cases(capsys: pytest.CaptureFixture[str], folder: str, tmp_path: Path) -> None:
    run(capsys, "unlearn", folder, "--ids", "p3", "--save", str(tmp_path / "one"))
    run(capsys, "unlearn", str(tmp_path / "one"), "--ids", "p7", "--save", str(tmp_path / "two"))
    assert core.load_case(tmp_path / "two").forgotten_ids.tolist() == ["p3", "p7"]
    assert "Removed already: 'p3'" in refused(capsys, "unlearn", str(tmp_path / "two"), "--ids", "p3")


def test_kernels_are_compiled_for_every_family_and_loaded_from_then_on(capsys: pytest.CaptureFixture[str]) -> None:
    run(capsys, "kernels")
    again = run_json(capsys, "kernels")
    assert set(again) == {name for family in FAMILIES for name in family.examples}
    assert sum(family["compiled"] for family in again.values()) == 0
    _assert_a_long_table_compiles_nothing()


def _assert_a_long_table_compiles_nothing() -> None:
    """Go through a column of more values than codes of 16 bits hold."""
    draw = np.random.default_rng(0)
    table = pd.DataFrame({"a": draw.normal(size=70_000), "b": draw.normal(size=70_000), "group": "x"})
    table["label"] = (table["a"] + draw.normal(size=len(table)) > 0).astype(int)
    table.loc[::3, "group"] = "y"
    forest = RandomForestClassifier(2, min_samples_leaf=50, random_state=0).fit(table[["a", "b"]], table["label"])
    roles = core.Roles("label", 1, 1, ["group"], features=["a", "b"])
    case, before = core.Case(forest, table, table[:500], roles), compiling.kernels_compiled()
    core.group_changes(case, [range(30), range(40, 60)], metric="demographic_parity_difference")
    core.check_provenance(core.unlearn(case, range(3)).case)
    assert compiling.kernels_compiled() == before


def test_inspect(capsys: pytest.CaptureFixture[str], folder: str, tmp_path: Path) -> None:
    model, table = str(Path(folder) / "model.skops"), tmp_path / "t.csv"
    table.write_text("a,b\n1,2\n")
    text = run(capsys, "inspect", model, str(table))
    assert repr(core.inspect_model(model)) in text
    assert "must be a skops, pickle or joblib file" in text
    first, second = run_json(capsys, "inspect", model, str(table))["files"]
    assert (first["loads"], first["file"]) == (True, model)
    assert "error" in second
    assert main(["inspect", str(table)]) == 2


def test_provenance(capsys: pytest.CaptureFixture[str], folder: str, small_case: core.Case) -> None:
    verdict = core.check_provenance(small_case)
    assert run(capsys, "provenance", folder) == f"verified: {verdict.evidence}\n"
    assert run_json(capsys, "provenance", folder)["status"] == "verified"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["adit", "CASE"], "Got 'adit'. Did you mean 'audit'?"),
        (
            ["explainn", "CASE"],
            "The command must be one of run, audit, audit-decisions, slices, policy, influence, explain, plan, unlearn, erase, provenance, inspect, evidence, "
            "verify-evidence, kernels. Got 'explainn'.",
        ),
        (["audit"], "CASE. See python -m core audit --help."),
        (["audit", "CASE", "--on", "train"], "'train'"),
        (["audit", "CASE", "--level", "high"], "'high'"),
        (["audit", "CASE", "--level", "2"], "Got 2"),
        (["audit", "CASE", "--seed", "-1"], "A seed must be"),
        (["audit", "CASE", "--resamples", "10000000000"], "at most 100,000"),
        (["audit", "CASE", "--metric", "equal_oportunity_difference"], "Did you mean 'equal_opportunity_difference'"),
        (["audit", "CASE", "--metric", "nope"], "The usual ones are selection_rate, true_positive_rate, false_positive_rate"),
        (["audit", "CASE", "--sensitive-feature", "sexx"], "Did you mean 'sex'"),
        (["audit", "nowhere"], "Got nothing at 'nowhere'"),
        (["audit", "credti"], "Got nothing at 'credti'; check the path. Did you mean 'credit'?"),
        (["run", "--port", "70000"], "--port must be from 1 to 65535. Got 70000 instead."),
        (["run", "--address", "192.0.2.1"], "--address must be one of this machine's addresses. Got '192.0.2.1' instead."),
        (["influence", "CASE", "--on", "confirm"], "must not look at the confirm rows"),
        (["influence", "CASE", "--rescore", "a"], "invalid int value: 'a'"),
        (["influence", "CASE", "--top", "many"], "such as 1% or a number such as 120. Got 'many'"),
        (["influence", "CASE", "--top", "0"], "Got '0'"),
        (["influence", "CASE", "--top", "1.5"], "Got '1.5'"),
        (["influence", "CASE", "--top", "100%"], "which is 1,500; ask for fewer"),
        (["influence", "CASE", "--metric", "fairness"], "Got 'fairness'"),
        (["unlearn", "CASE"], "one of the arguments --forget --ids --most-harmful is required"),
        (["unlearn", "CASE", "--ids", "p1", "--most-harmful", "1%"], "not allowed with"),
        (["unlearn", "CASE", "--ids", ","], "--ids must name at least one id"),
        (["unlearn", "CASE", "--ids", "p1,p99999"], "Unknown: 'p99999'."),
        (["unlearn", "CASE", "--ids", "p1,p1"], "Got 'p1' more than once"),
        (["unlearn", "CASE", "--ids", "p1", "--method", "newtn"], "Did you mean 'newton'"),
        (["unlearn", "CASE", "--ids", "p1", "--by", "subject"], "Roles.subject_id is not set"),
        (["unlearn", "CASE", "--ids", "p1", "--tolerance", "0"], "tolerance must lie strictly between"),
        (["unlearn", "CASE", "--most-harmful", "5", "--by", "subject"], "--most-harmful ranks records"),
        (["unlearn", "CASE", "--ids", "p1", "--save", "CASE"], "--save must not write over a case"),
        (["unlearn", "CASE", "--ids", "p1", "--metric", "fairness"], "Got 'fairness'"),
        (["unlearn", "CASE", "--forget", "nowhere.csv"], "Got nothing at 'nowhere.csv'"),
        (["unlearn", "CASE", "--ids", "p1", "--frobnicate"], "unrecognized arguments: --frobnicate"),
    ],
)  # fmt: skip
def test_bad_input_is_one_sentence(
    capsys: pytest.CaptureFixture[str], folder: str, arguments: list[str], sentence: str
) -> None:
    assert sentence.lower() in refused(capsys, *(folder if text == "CASE" else text for text in arguments)).lower()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "Got an empty file"),
        (b"persn,note\np3,a\n", "Did you mean 'persn'?"),
        (b"person,note\n,a\n", "at least one id. Got none"),
        (b"p3\x00\x01\x02\x03\xff", "must be text"),
        (b"person\np3\nnobody\n", "Unknown: 'nobody'."),
        (b"nobody\nnowhere\n", "Unknown: 'nobody', 'nowhere'."),
    ],
)
def test_bad_lists_of_ids(
    capsys: pytest.CaptureFixture[str], folder: str, content: bytes, sentence: str, tmp_path: Path
) -> None:
    path = tmp_path / "ids.csv"
    path.write_bytes(content)
    assert sentence in refused(capsys, "unlearn", folder, "--forget", str(path))


def test_forgetting_everything_or_a_class_is_refused(
    capsys: pytest.CaptureFixture[str], folder: str, small_case: core.Case, tmp_path: Path
) -> None:
    path = tmp_path / "ids.csv"
    path.write_text("\n".join(small_case.record_ids))
    assert "Got a request to forget all 1,500" in refused(capsys, "unlearn", folder, "--forget", str(path))
    path.write_text("\n".join(small_case.record_ids[small_case.y_train]))
    assert "every record with granted = 1" in refused(capsys, "unlearn", folder, "--forget", str(path))


def test_a_save_that_cannot_be_written_is_one_sentence(
    capsys: pytest.CaptureFixture[str], folder: str, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    assert "saved to a folder" in refused(capsys, "unlearn", folder, "--ids", "p1", "--save", str(tmp_path / "file"))
    assert "check the path" in refused(
        capsys, "unlearn", folder, "--ids", "p1", "--save", str(tmp_path / "file" / "case")
    )


def test_names_from_the_data_cannot_steer_the_terminal(
    capsys: pytest.CaptureFixture[str], small_case: core.Case, tmp_path: Path
) -> None:
    odd = "\x1b[2J<b>sex</b>\u202e"
    tables = [table.assign(**{odd: table["sex"]}) for table in (small_case.train, small_case.test)]
    roles = small_case.roles.with_(sensitive_features=(odd,))
    folder = str(core.Case(small_case.model, *tables, roles).save(tmp_path / "case"))
    text = run(capsys, "audit", folder, "--resamples", "50")
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "\\x1b[2J<b>sex</b>" in text
    assert run_json(capsys, "audit", folder, "--resamples", "50")["gaps"][0]["sensitive_feature"] == odd


def test_as_a_program(folder: str) -> None:
    def program(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "core", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
        )

    good = program("provenance", folder, "--json")
    assert (good.returncode, good.stderr) == (0, "")
    assert json.loads(good.stdout)["status"] == "verified"
    bad = program("unlearn", folder, "--ids", "nobody")
    assert (bad.returncode, bad.stdout) == (2, "")
    assert bad.stderr.startswith("error: Every id must be a record")


def test_help_lists_the_commands(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["--help"])
    assert stop.value.code == 0
    text = capsys.readouterr().out
    assert all(command in text for command in ("audit", "influence", "unlearn", "provenance"))
    with pytest.raises(SystemExit):
        main(["unlearn", "--help"])
    assert "1% or 120" in " ".join(capsys.readouterr().out.split())


def test_plan_gives_the_librarys_path(capsys: pytest.CaptureFixture[str], folder: str, small_case: core.Case) -> None:
    arguments = (
        "plan",
        folder,
        "--target",
        "0.02",
        "--max-utility-drop",
        "0.02",
        "--random",
        "2",
        "--max-records",
        "60",
    )
    found = run_json(capsys, *arguments)
    plan = core.plan_removal(small_case, target=0.02, max_utility_drop=0.02, n_random=2, max_records=60, expected=False)
    assert found["forget"] == plan.forget.tolist()
    np.testing.assert_allclose(pd.DataFrame(found["path"])["value"], plan.path["value"])
    assert [row["n_removed"] for row in found["random"]] == plan.random.index.tolist()
    text = run(capsys, *arguments)
    assert plan.reason in text
    assert "Random removals of as many records" in text


def test_plan_takes_costs_together(capsys: pytest.CaptureFixture[str], folder: str) -> None:
    costs = ("--cost-false-positive", "1", "--cost-false-negative", "4")
    found = run_json(capsys, "plan", folder, "--utility", "cost", *costs, "--random", "0", "--max-records", "5")
    assert found["utility"] == "cost"
    assert found["random"] == []
    assert "must come with cost=" in refused(capsys, "plan", folder, "--utility", "cost", *costs[:2])
    assert "need --utility cost" in refused(capsys, "plan", folder, *costs)


def test_explain_prints_rules_and_gives_their_ids(
    capsys: pytest.CaptureFixture[str], folder: str, small_case: core.Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = (
        "explain",
        folder,
        "--max-predicates",
        "1",
        "--top",
        "2",
        "--metric",
        "demographic_parity_difference",
        "--quick",
    )
    found = run_json(capsys, *options)
    expected = core.explain_gap(small_case, "demographic_parity_difference", max_predicates=1, top_k=2)
    assert [rule["rule"] for rule in found["rules"]] == [one.rule for one in expected]
    assert found["rules"][0]["forget"] == expected[0].forget.tolist()
    assert found["n_tried"] == expected.n_tried
    text = run(capsys, *options)
    assert expected[0].rule in text
    assert f"{expected.n_tried:,} rules tried" in text
    assert "overshoots" not in text
    assert "must not look at the confirm rows" in refused(capsys, *options, "--on", "confirm")


def test_explain_sets_two_changes_of_one_kind_side_by_side_within_the_terminal(
    capsys: pytest.CaptureFixture[str], folder: str, small_case: core.Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = core.explain_gap(small_case, "demographic_parity_difference", max_predicates=1, top_k=1)
    conditions = 5 * found[0].conditions
    turned = replace(
        found[0], conditions=conditions, reversed=True, change=-0.2, predicted=-0.03, after=found[0].before - 0.05
    )
    monkeypatch.setattr(core, "explain_gap", lambda *_, **__: replace(found, subsets=(turned,)))
    for width in (80, 100):
        monkeypatch.setenv("COLUMNS", str(width))
        table, legend = run(capsys, "explain", folder).split("\n\n")[-3:-1]
        assert "-0.0300   -0.0500" in table
        assert "overshoots" in table
        assert "overshoots: without the records the groups change places" in legend
        assert max(map(len, f"{table}\n{legend}".splitlines())) <= width
        rule = " ".join(line[: table.index("records")].strip() for line in table.splitlines()[1:])
        assert rule.split() == turned.rule.split()
    for gain in (0.0, 0.2):
        expected = ExpectedGain(gain, gain - 0.1, gain + 0.1, 0.06, 600, 5, 10, 0.3)
        one = replace(turned, expected=expected, found_again=10, n_searches=10)
        monkeypatch.setattr(core, "explain_gap", lambda *_, one=one, **__: replace(found, subsets=(one,)))
        said = run(capsys, "explain", folder)
        assert ("None of these rules is expected to help" in said.split("\n\n")[1]) is (gain == 0.0)
        assert ("0.0000?" if gain == 0.0 else "0.2000 ") in said
        assert one.claim[:40] in " ".join(said.split())
    monkeypatch.setattr(core, "explain_gap", lambda *_, **__: replace(found, subsets=()))
    assert "No rule closes its share of the gap" in run(capsys, "explain", folder)
