"""What is kept on disk of compiled functions is used for the sources it was compiled from alone."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numba
import pytest

from core.numerics import kernel

CALLER = """from numerics.inner import twice
from numerics.kernel import entry
@entry
def twice_and_one(x):
    return twice(x) + 1
"""
INNER = """from numerics.kernel import kernel
@kernel
def twice(x):
    return {} * x
"""


COMPILED = "print(f(10), sum(f.stats.cache_hits.values()))"


@pytest.fixture
def package(tmp_path: Path) -> Path:
    package = tmp_path / "numerics"
    package.mkdir()
    (package / "__init__.py").touch()
    shutil.copy(kernel.__file__, package)
    (package / "outer.py").write_text(CALLER)
    (package / "inner.py").write_text(INNER.format(2))
    return package


def answer(folder: Path, shown: str = COMPILED, **settings: str) -> str:
    asked, env = f"from numerics.outer import twice_and_one as f; {shown}", {**os.environ, **settings}
    env.pop("NUMBA_CACHE_DIR", None)
    ran = subprocess.run([sys.executable, "-c", asked], cwd=folder, env=env, capture_output=True, text=True, check=True)
    return ran.stdout.strip()


def test_a_function_is_compiled_again_where_one_that_it_calls_was_changed(package: Path, tmp_path: Path) -> None:
    assert answer(tmp_path) == "21 0"
    assert answer(tmp_path) == "21 1"
    (package / "inner.py").write_text(INNER.format(3))
    assert answer(tmp_path) == "31 0"


def test_functions_run_where_numba_is_told_not_to_compile(package: Path, tmp_path: Path) -> None:
    assert answer(tmp_path, "print(f(10))", NUMBA_DISABLE_JIT="1") == "21"


def test_what_other_sources_left_is_not_read(package: Path, tmp_path: Path) -> None:
    assert answer(tmp_path) == "21 0"
    for index in package.glob("__pycache__/*.nbi"):
        index.write_bytes(f"V{numba.__version__}\n.".encode() + b"cvanished\nname\n.")
    assert answer(tmp_path) == "21 0"


def test_what_the_same_file_left_as_another_module_is_not_read(package: Path, tmp_path: Path) -> None:
    asked = f"import sys; sys.path.insert(0, {str(package)!r}); import outer; print(outer.twice_and_one(10))"
    env = {key: value for key, value in os.environ.items() if key != "NUMBA_CACHE_DIR"}
    subprocess.run([sys.executable, "-c", asked], cwd=tmp_path, env=env, check=True)
    assert answer(tmp_path) == "21 0"


@pytest.fixture
def read_only(package: Path) -> Path:
    """A package beside whose sources nothing can be written, not even by the superuser."""
    (package / "__pycache__").write_text("not a folder")
    return package


def test_where_the_sources_cannot_be_written_beside_the_users_cache_is_used(read_only: Path, tmp_path: Path) -> None:
    cache = str(tmp_path / "cache")
    assert answer(tmp_path, XDG_CACHE_HOME=cache) == "21 0"
    assert answer(tmp_path, XDG_CACHE_HOME=cache) == "21 1"
    (read_only / "inner.py").write_text(INNER.format(3))
    assert answer(tmp_path, XDG_CACHE_HOME=cache) == "31 0"


def test_functions_run_where_nothing_can_be_kept(read_only: Path, tmp_path: Path) -> None:
    assert answer(tmp_path, XDG_CACHE_HOME=str(read_only / "__pycache__" / "cache")) == "21 0"


@pytest.mark.parametrize("damage", [b"", b"no index", None])
def test_what_is_kept_may_be_damaged_or_find_no_room(damage: bytes | None, package: Path, tmp_path: Path) -> None:
    """As a loss of power leaves it: empty, or anything; or on a disk that is full."""
    full = "import resource as r, signal as s; s.signal(s.SIGXFSZ, s.SIG_IGN); r.setrlimit(r.RLIMIT_FSIZE, (10, 10))"
    assert answer(tmp_path, f"{full}; {COMPILED}" if damage is None else COMPILED) == "21 0"
    for path in package.glob("__pycache__/*.nb*"):
        path.write_bytes(damage or b"")
    assert answer(tmp_path) == "21 0"
    assert answer(tmp_path) == "21 1"
