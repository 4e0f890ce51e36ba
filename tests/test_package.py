"""The package as people install it: built, put into an environment of its own and used from outside the checkout."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
import tomllib
import venv
from http.client import HTTPConnection
from importlib.metadata import version
from pathlib import Path
from zipfile import ZipFile

import pytest
from packaging.requirements import Requirement

import core
from core.files.cases.samples import sample_folders

ROOT = Path(__file__).resolve().parent.parent
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
EXAMPLE = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)[0]
SCRIPTS = "Scripts" if os.name == "nt" else "bin"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package, built with the backend that the lock holds."""
    folder = tmp_path_factory.mktemp("wheel")
    options = ["--quiet", "--no-build-isolation", "--no-deps", "--no-index", "--disable-pip-version-check"]
    subprocess.run([sys.executable, "-m", "pip", "wheel", *options, "--wheel-dir", folder, ROOT], check=True)
    (built,) = folder.glob("redress-*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the package, which finds what that depends on where these tests do; beside its sources nothing can be written."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False)
    python = folder / SCRIPTS / "python"
    options = ["--quiet", "--no-deps", "--no-index", "--no-compile", "--disable-pip-version-check"]
    subprocess.run([sys.executable, "-m", "pip", "--python", python, "install", *options, wheel], check=True)
    (sources,) = folder.glob("**/site-packages/core")
    (sources.parent / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    for package in {path.parent for path in sources.rglob("*.py")}:
        (package / "__pycache__").write_text("not a folder")
    return folder


@pytest.fixture(scope="module")
def settings(installed: Path) -> dict[str, str]:
    """The variables that a command outside the checkout gets."""
    left_out = {"PYTHONPATH", "PYTHONHOME", "NUMBA_CACHE_DIR"}
    kept = {name: value for name, value in os.environ.items() if name not in left_out}
    return {**kept, "HOME": str(installed / "home"), "XDG_CACHE_HOME": str(installed / "cache")}


def ask(installed: Path, settings: dict[str, str], *command: str) -> str:
    program = str(installed / SCRIPTS / command[0])
    ran = subprocess.run([program, *command[1:]], cwd="/", env=settings, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_the_wheel_holds_all_that_is_needed_and_nothing_else(wheel: Path) -> None:
    names = set(ZipFile(wheel).namelist())
    assert {
        "core/py.typed",
        "core/__init__.pyi",
        "dashboard/.streamlit/config.toml",
        "dashboard/assets/style.css",
    } <= names
    for name, folder in sample_folders().items():
        assert {f"sample_data/{name}/{file.name}" for file in folder.iterdir() if file.is_file()} <= names
    assert {name.partition("/")[0] for name in names if ".dist-info/" not in name} == {
        "core",
        "dashboard",
        "sample_data",
    }
    assert not {name for name in names if name.endswith((".pyc", ".nbi", ".nbc"))}


def test_a_sample_is_audited_from_outside_the_checkout(installed: Path, settings: dict[str, str]) -> None:
    text = ask(installed, settings, "redress", "audit", "credit", "--resamples", "50")
    assert text.startswith(
        "Case(Pipeline, 12,000 of 12,000 training records, 6,000 test rows), audited on test (6,000 rows)"
    )


def test_the_readmes_example_runs_outside_the_checkout(installed: Path, settings: dict[str, str]) -> None:
    shown = ask(installed, settings, "python", "-c", f"{EXAMPLE}\nprint(core.__file__)")
    assert "Guarantee.CERTIFIED" in shown
    assert Path(shown.splitlines()[-1]).is_relative_to(installed)
    assert list((installed / "cache").rglob("*.nbi"))


def test_the_version_is_one(installed: Path, settings: dict[str, str]) -> None:
    asked = "import core; from importlib.metadata import version; print(core.__version__, version('redress'))"
    assert ask(installed, settings, "python", "-c", asked).split() == [core.__version__] * 2
    assert ask(installed, settings, "redress", "--version") == f"redress {core.__version__}\n"


def test_the_dashboard_is_served_from_outside_the_checkout(installed: Path, settings: dict[str, str]) -> None:
    command = [str(installed / SCRIPTS / "redress"), "run", "--port", "18600", "--server.headless=true"]
    with subprocess.Popen(command, cwd="/", env=settings, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            place = server.stdout.readline().split("http://")[1].split()[0]
            assert any("URL:" in line for line in server.stdout)
            connection = HTTPConnection(place, timeout=60)
            connection.request("GET", "/_stcore/health")
            assert connection.getresponse().read() == b"ok"
        finally:
            server.terminate()
            server.communicate(timeout=60)  # Streamlit does not stop where it cannot say so


OPTIONAL = [line for lines in SETTINGS["project"]["optional-dependencies"].values() for line in lines]


@pytest.mark.parametrize("line", SETTINGS["project"]["dependencies"] + OPTIONAL)
def test_the_lock_holds_what_the_package_asks_for(line: str) -> None:
    requirement = Requirement(line)
    if requirement.marker and not requirement.marker.evaluate():
        pytest.skip("not asked for on this machine")
    assert requirement.specifier.contains(version(requirement.name))
    assert any(part.operator in ("==", "<") for part in requirement.specifier), (
        "the next major version is not known to work"
    )


def test_the_package_asks_for_all_that_the_lock_names_for_running() -> None:
    running = (ROOT / "requirements.in").read_text("utf-8").partition("# Checks")[0]
    named = {Requirement(line).name for line in running.splitlines() if line and not line.startswith("#")}
    assert named == {Requirement(line).name for line in SETTINGS["project"]["dependencies"] + OPTIONAL}
