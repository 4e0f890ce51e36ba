import re
import shlex
from pathlib import Path

import pytest

import core
from core.command_line.main import main

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text("utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
COMMANDS = re.findall(r"^ +redress (?!run)(.*)$", README, re.MULTILINE)
SHOWN_TWICE = (ROOT / "docs" / "how_to" / "command_line.md").read_text("utf-8")
"""What stands there, too, is run there."""


def test_the_notebook_example_runs_in_ten_lines(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    exec(EXAMPLES[0], names)  # noqa: S102
    assert isinstance(names["result"], core.UnlearnResult)
    assert len([line for line in EXAMPLES[0].splitlines() if line]) <= 10


def test_the_examples_for_own_tables_and_models_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    sample = core.load_case(ROOT / "sample_data" / "credit")
    monkeypatch.chdir(tmp_path)
    names = {"core": core, "model": sample.model, "pipeline": sample.model, "train": sample.train, "test": sample.test}
    for example in EXAMPLES[1:]:
        exec(example, names)  # noqa: S102
    assert core.load_case("my_case").train.equals(sample.train)
    assert core.load_model("model.skops").get_params().keys() == sample.model.get_params().keys()


@pytest.mark.parametrize("command", [one for one in COMMANDS if f"redress {one}\n" not in SHOWN_TWICE])
def test_the_commands_run(command: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "sample_data").symlink_to(ROOT / "sample_data")
    monkeypatch.chdir(tmp_path)
    assert main(shlex.split(command)) == 0


def test_there_are_commands_for_everything_the_command_line_does() -> None:
    assert {command.split()[0] for command in COMMANDS} == {
        "provenance",
        "audit",
        "influence",
        "explain",
        "plan",
        "slices",
        "unlearn",
    }
