"""Which part may import which: the contracts in pyproject.toml hold, and each of them fails where it is broken."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LINT = "import sys; from importlinter.cli import lint_imports_command as lint; sys.exit(lint())"
MOST_FILES = 26
"""Of one folder, so that a person finds the file meant by reading its names."""

WRITES = re.compile(
    r"\.write_(text|bytes)\(|\bopen\([^)\n]*[\"'][rbt]*[wax+][rbt+]*[\"']|(Named|Spooled)?Temporary(File|Directory)\(|mkstemp\("
    r"|\.to_(csv|parquet)\((str|path|Path)"
)

PLANTED = {
    "core/families/logistic/planted.py": "import core.families.forest.state",
    "core/families/ridge/__init__.py": "",
    "core/families/ridge/family.py": "from core.families.base import Family\nfrom core.families.logistic import state",
    "core/families/ridge/deeper/planted.py": "import core.families.boosting.hist",
    "core/families/planted.py": "import core.families.boosting.booster",
    "core/actions/planted.py": "from core.families.logistic.unlearner import Newton",
    "core/metrics/planted.py": "import core.rules.rule",
    "core/case/planted.py": "from core.files.tables import read",
    "core/case/roles.py": "from core.files.cases import storage",
    "core/astray.py": "",
    "core/records/planted.py": "import streamlit",
    "core/plans/planted.py": "from plotly import graph_objects",
    "core/numerics/planted.py": "import pandas",
    "core/numerics/trees/planted.py": "import joblib",
    "core/numerics/linear/planted.py": "from core.words import plain",
    "core/numerics/statistics/planted.py": "import core.errors, core.typing, numpy, scipy.stats, numba, math",
    "dashboard/components/planted.py": "import dashboard.app_pages.find.take",
    "dashboard/astray.py": "",
    "dashboard/app_pages/find/planted.py": "import numpy",
}
"""Imports written into a copy of the tree."""
FOUND = {
    "Families of models do not import one another": [
        "core.families.logistic.planted -> core.families.forest.state",
        "core.families.ridge.family -> core.families.logistic.state",
        "core.families.ridge.deeper.planted -> core.families.boosting.hist",
    ],
    "Only the registry knows which families there are": [
        "core.families.planted -> core.families.boosting.booster",
        "core.actions.planted -> core.families.logistic.unlearner",
    ],
    "Core layers import downwards only": [
        "core.metrics.planted -> core.rules.rule",
        "core.case.planted -> core.files.tables.read",
        "core.case.roles -> core.files.cases.storage",
        "core.astray",
    ],
    "Core does not import the dashboard or streamlit, and plotly in figures alone": [
        "core.records.planted -> streamlit",
        "core.plans.planted -> plotly",
    ],
    "Numerics import only numpy, scipy and numba": [
        "core.numerics.planted -> pandas",
        "core.numerics.trees.planted -> joblib",
        "core.numerics.linear.planted -> core.words",
    ],
    "Dashboard layers import downwards only": [
        "dashboard.components.planted -> dashboard.app_pages.find.take",
        "dashboard.astray",
    ],
    "The dashboard computes nothing itself": ["dashboard.app_pages.find.planted -> numpy"],
}
"""What is said of them, by contract."""


def lint(folder: Path) -> tuple[int, dict[str, str]]:
    """Return the exit code and what is said of each broken contract."""
    ran = subprocess.run(
        [sys.executable, "-c", LINT, "--no-cache"], cwd=folder, capture_output=True, text=True, check=False
    )
    _, _, broken = ran.stdout.partition("Broken contracts")
    parts = {name: broken.partition(f"\n{name}\n---")[2] for name in FOUND}
    ends = [f"\n{name}\n---" for name in FOUND]
    return ran.returncode, {name: _until(part, ends) for name, part in parts.items() if part}


def _until(text: str, ends: list[str]) -> str:
    return text[: min([text.index(end) for end in ends if end in text], default=len(text))]


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> tuple[int, dict[str, str]]:
    """What is said of a copy of the tree into which violations were written."""
    folder = tmp_path_factory.mktemp("tree")
    for name in ("core", "dashboard"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "*.nb?"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    for name, line in PLANTED.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not (path.parent / "__init__.py").exists():
            (path.parent / "__init__.py").write_text("", "utf-8")
        path.write_text((path.read_text("utf-8") if path.exists() else "") + f"\n{line}\n", "utf-8")
    return lint(folder)


def test_the_contracts_hold() -> None:
    assert lint(ROOT) == (0, {})


@pytest.mark.parametrize("contract", FOUND)
def test_a_contract_fails_where_it_is_broken(contract: str, planted: tuple[int, dict[str, str]]) -> None:
    code, said = planted
    assert code == 1
    assert [one for one in FOUND[contract] if one not in said[contract]] == [], said[contract]


def test_what_numerics_may_import_is_let_through(planted: tuple[int, dict[str, str]]) -> None:
    assert "core.numerics.statistics.planted" not in "".join(planted[1].values())


def test_no_folder_of_core_holds_more_files_than_a_person_reads() -> None:
    folders = {path.parent for path in (ROOT / "core").rglob("*.py")}
    assert {str(one): n for one in folders if (n := len(list(one.glob("*.py")))) > MOST_FILES} == {}


def test_tests_mirror_the_tree() -> None:
    """A folder of tests is called as the folder that it tests."""
    tests = ROOT / "tests"
    folders = {path.parent.relative_to(tests) for path in tests.rglob("test_*.py")} - {Path(), Path("browser")}
    assert [str(one) for one in sorted(folders) if not ((ROOT / "core" / one).is_dir() or (ROOT / one).is_dir())] == []


def test_files_are_written_in_one_place() -> None:
    """What is written elsewhere than `core.files.writing` is half there after a kill, and no test of full disks sees it."""
    found = {
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for package in ("core", "dashboard")
        for path in (ROOT / package).rglob("*.py")
        for line in path.read_text("utf-8").splitlines()
        if WRITES.search(line) and ">>>" not in line
    }
    assert found == set()
