"""The worst slices on the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

import core
from tests.command_line.test_command_line import refused, run, run_json

GAP = "demographic_parity_difference"


def test_slices_are_those_of_the_library(
    capsys: pytest.CaptureFixture[str], small_case: core.Case, tmp_path: Path
) -> None:
    folder = str(small_case.save(tmp_path / "case"))
    asked = ("slices", folder, "--max-predicates", "2", "--where", "age >= 30", "--top", "4", "--metric")
    found = run_json(capsys, *asked, GAP)
    truth = core.worst_slices(small_case, GAP, max_predicates=2, where="age >= 30", top_k=4)
    assert [row["where"] for row in found["slices"]] == [one.where for one in truth]
    assert (found["n_tried"], found["value"], found["sensitive_feature"]) == (truth.n_tried, truth.value, "sex")
    assert [row["depth"] for row in found["tree"]] == [depth for depth, _ in truth.tree.walk()]
    text = run(capsys, *asked, "zero_one_loss")
    assert "rows where age >= 30" in text
    assert "corrected for all slices tried (Benjamini & Hochberg)" in text
    assert "Tree\nall rows: " in text
    assert "must be a share of rows" in refused(capsys, *asked, "roc_auc")
