"""Policy profiles on the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

import core
from tests.command_line.test_command_line import refused, run, run_json


def test_a_profile_is_printed_changed_and_held_against(
    capsys: pytest.CaptureFixture[str], small_case: core.Case, tmp_path: Path
) -> None:
    folder, mine = str(small_case.save(tmp_path / "case")), tmp_path / "mine.toml"
    mine.write_text(run(capsys, "policy", folder, "--toml").replace("at_least = 0.8", "at_least = 0.97"), "utf-8")
    asked = ("policy", folder, "--sensitive-feature", "sex", "--where", "age >= 30", "--profile", str(mine))
    found = run_json(capsys, *asked)
    truth = core.apply_policy(small_case, mine, sensitive_feature="sex", where="age >= 30")
    assert [one["sentence"] for one in found["tables"]] == [one.sentence for one in truth]
    assert [row["ratio"] for row in found["tables"][0]["rows"]] == truth[0].table["ratio"].tolist()
    assert (found["n"], found["date"]) == (truth.n, truth.profile.date.isoformat())
    text = run(capsys, *asked)
    assert truth[0].sentence in text
    assert "highest rate" in text
    assert "no mark says what is allowed" in text
    assert "Did you mean 'four_fifths'" in refused(capsys, "policy", folder, "--profile", "four_fith")
