"""Public names are imported on first use, and editors and type checkers see them all the same."""

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from mypy import api

import core

HEAVY = ("numpy", "pandas", "scipy", "sklearn", "numba", "skops", "fairlearn", "shap", "plotly", "pyarrow")
SELDOM = ("skops", "fairlearn", "shap", "plotly", "scipy.signal", "sklearn.utils._testing", "core.numerics.trees")


@pytest.mark.parametrize("name", core.__all__)
def test_every_public_name_is_what_the_module_that_defines_it_holds(name: str) -> None:
    value = getattr(core, name)
    assert value is getattr(import_module(core._DEFINED_IN[name]), name)
    assert getattr(value, "__module__", core._DEFINED_IN[name]) == core._DEFINED_IN[name]


def test_names_are_listed_for_people_and_for_star_imports() -> None:
    names: dict[str, object] = {}
    exec("from core import *", names)  # noqa: S102
    assert set(core.__all__) <= names.keys()
    assert set(core.__all__) <= set(dir(core))
    assert {"Case", "Roles", "audit", "unlearn", "METRICS"} <= set(core.__all__)


def test_modules_are_reached_through_the_package_without_importing_them_by_name() -> None:
    shown = fresh("import core; print(core.errors.InputError.__name__, core.words.plain.__name__)")
    assert shown == "InputError plain"


def test_importing_the_package_imports_none_of_what_calls_need() -> None:
    assert fresh(f"import sys, core; print([name for name in {HEAVY} if name in sys.modules])") == "[]"


def test_first_calls_import_nothing_that_only_some_need() -> None:
    asked = f"import sys, core; core.Case; core.unlearn; core.audit; print([name for name in {SELDOM} if name in sys.modules])"
    assert fresh(asked) == "[]"


def test_help_is_said_without_importing_what_commands_need() -> None:
    asked = (
        "import sys\nfrom core.command_line.main import main\n"
        f"try: main(['--help'])\nexcept SystemExit: print([name for name in {HEAVY} if name in sys.modules])"
    )
    assert fresh(asked).splitlines()[-1] == "[]"


def test_a_name_that_is_not_there_is_refused_with_the_nearest() -> None:
    ran = subprocess.run([sys.executable, "-c", "import core; core.audti"], capture_output=True, text=True, check=False)
    assert "AttributeError: module 'core' has no attribute 'audti'. Did you mean: 'audit'?" in ran.stderr
    assert not hasattr(core, "__wrapped__")


def test_type_checkers_see_every_name_and_no_other(tmp_path: Path) -> None:
    asks = tmp_path / "asks.py"
    asks.write_text("\n".join(["import core", *(f"core.{name}" for name in core.__all__), "core.audti"]))
    stub = str(Path(core.__file__).with_suffix(".pyi"))
    # Of what the stub imports nothing is read: that the names have the types they should is checked with the whole of core.
    out, err, _ = api.run(["--follow-imports=skip", "--no-incremental", "--config-file=", stub, str(asks)])
    assert err == ""
    (line,) = [line for line in out.splitlines() if "error:" in line]
    assert 'Module has no attribute "audti"' in line


def fresh(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
