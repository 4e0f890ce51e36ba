"""The checks of this project's own: each fault that is planted in a small tree is found, and what is allowed is not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from checks.docstrings import MOST, wordy
from checks.names import PACKAGES, SHARED, repeated

ROOT = Path(__file__).resolve().parents[2]
LONGEST = f"Say{'.' * (MOST - 3)}"


def planted(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return folder


def test_the_project_holds_to_the_checks() -> None:
    assert [*repeated(ROOT), *wordy(ROOT, PACKAGES)] == []


def test_a_name_defined_in_two_modules_is_found(tmp_path: Path) -> None:
    files = {
        "core/metrics/rate.py": "class Step: ...",
        "dashboard/history.py": "class Step: ...",
        "core/plans/plan.py": "def fit(): ...",
    }
    assert repeated(planted(tmp_path, files)) == [
        "Step must mean one thing, and is defined in core.metrics.rate and dashboard.history; rename all but one."
    ]


def test_a_class_and_a_function_of_one_name_are_found(tmp_path: Path) -> None:
    [sentence] = repeated(planted(tmp_path, {"core/a.py": "def plan(): ...", "core/b/__init__.py": "class plan: ..."}))
    assert "core.a and core.b;" in sentence


@pytest.mark.parametrize(
    "use",
    ["from core.a import LIMIT", "from core import a\nprint(a.LIMIT)", "from core import a as other\nother.LIMIT"],
)
def test_a_setting_counts_once_another_module_takes_it(tmp_path: Path, use: str) -> None:
    files = {"core/a.py": "LIMIT = 1", "core/b.py": "LIMIT: int = 2", "core/c.py": "from core.b import LIMIT as most"}
    assert repeated(planted(tmp_path, files)) == []
    assert len(repeated(planted(tmp_path, {"core/d.py": use}))) == 1


def test_private_names_methods_and_names_of_contracts_may_repeat(tmp_path: Path) -> None:
    text = "def _own(): ...\n\n\nclass _Own:\n    def run(self): ...\n\n\n" + "".join(
        f"def {name}(): ...\n" for name in SHARED
    )
    assert repeated(planted(tmp_path, {"core/a.py": text, "core/b.py": text})) == []


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (f"{LONGEST}.", f"the first line must have at most {MOST} characters, not {MOST + 1}"),
        (
            "Return whether what is looked at is a case.",
            "the first line must name a thing, not say 'what is looked at'",
        ),
        ("What an audit found.", "the first line must name a thing, not say 'What'"),
        ("Return it as a curve.", "the first line must name a thing, not say 'Return it'"),
        ("Whether it ended.", "the first line must name a thing, not say 'Whether it'"),
        ("Note what is to be said.", "the first line must name a thing, not say 'to be said'"),
    ],
)
@pytest.mark.parametrize(
    ("before", "line"), [("", 1), ("def f():\n    ", 2), ("class A:\n    async def f(self):\n        ", 3)]
)
def test_a_first_line_that_is_long_or_vague_is_found(
    tmp_path: Path, text: str, fault: str, before: str, line: int
) -> None:
    folder = planted(tmp_path, {"dashboard/pages/page.py": f'{before}"""{text}\n\nMore.\n"""\n'})
    assert wordy(folder, PACKAGES) == [f"dashboard/pages/page.py:{line}: {fault}: {text}"]


def test_a_first_line_may_be_as_long_as_is_said_and_what_follows_longer(tmp_path: Path) -> None:
    folder = planted(tmp_path, {"core/a.py": f'"""{LONGEST}\n\nWhat is looked at: {LONGEST}.\n"""\n'})
    assert wordy(folder, PACKAGES) == []


@pytest.mark.parametrize("text", [f'"""{LONGEST}."""', "class Step: ..."])
def test_the_command_says_what_is_wrong_and_fails(tmp_path: Path, text: str) -> None:
    command = [sys.executable, "-m", "checks", str(planted(tmp_path, {"core/a.py": "class Step: ..."}))]
    clean = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (clean.returncode, clean.stdout.startswith("Every public name")) == (0, True)
    planted(tmp_path, {"core/b.py": text})
    broken = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert broken.returncode == 1
    assert "core/b.py:1:" in broken.stdout or "core.a and core.b" in broken.stdout
