"""The examples of the documentation run, and print what it says they print."""

from __future__ import annotations

import doctest
import io
import re
import shlex
from contextlib import redirect_stdout
from pathlib import Path

import pytest

from core.command_line.main import main

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGES = [DOCS / "index.md", *sorted((DOCS / "tutorials").glob("*.md")), *sorted((DOCS / "how_to").glob("*.md"))]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def blocks(page: Path) -> list[tuple[str, str]]:
    return [(found[1], found[2]) for found in BLOCK.finditer(page.read_text("utf-8"))]


def names(paths: list[Path]) -> list[str]:
    return [path.relative_to(DOCS).with_suffix("").as_posix() for path in paths]


WITH_CODE = [page for page in PAGES if any(kind == "python" for kind, _ in blocks(page))]


@pytest.mark.parametrize("page", WITH_CODE, ids=names(WITH_CODE))
def test_the_page_runs_from_top_to_bottom(page: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    known: dict[str, object] = {}
    printed = ""
    for kind, text in blocks(page):
        if kind == "python":
            assert not printed.strip(), f"the page does not show what is printed: {printed}"
            output = io.StringIO()
            with redirect_stdout(output):
                exec(compile(text, str(page), "exec"), known)  # noqa: S102
            printed = output.getvalue()
        elif kind == "text":
            assert doctest.OutputChecker().check_output(text, printed, FLAGS), f"shown:\n{text}\nprinted:\n{printed}"
            printed = ""
    assert not printed.strip(), f"the page does not show what is printed: {printed}"


def test_the_commands_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    commands = [
        line
        for kind, text in blocks(DOCS / "how_to" / "command_line.md")
        if kind == "console"
        for line in text.splitlines()
    ]
    assert len(commands) >= 5
    for command in commands:
        assert main(shlex.split(command.removeprefix("$ redress "))) == 0, command
        assert capsys.readouterr().out


def test_each_kind_of_user_has_a_tutorial_that_runs() -> None:
    assert {"tutorials/analyst", "tutorials/auditor", "tutorials/teacher"} <= set(names(WITH_CODE))
