"""Run, test and check Redress from a checkout, with nothing but Python 3.11 or newer.

usage: python3 dev.py COMMAND [arguments ...]

  run     serve the dashboard; --port N (default 8501) and --address A (default 127.0.0.1) say where,
          other arguments go to streamlit
  test    run the tests; arguments go to pytest, as in: python3 dev.py test tests/metrics -q
  check   run ruff, the formatter, mypy, the import contracts, the docstring examples, and see that public
          names mean one thing and docstrings begin with a short line
  bench   list the benchmarks; with a name, run that one; further arguments go to it
  docs    build the documentation's site into docs/_build

The first command makes .venv and installs requirements.txt into it, every file checked by its hash.
"""

from __future__ import annotations

import ast
import difflib
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

ROOT = Path(__file__).resolve().parent
OLDEST_PYTHON = (3, 11)
MOST_WORKERS = 4
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")


class StopError(Exception):
    """What keeps a command from going on, in one sentence for the person at the terminal."""


class Environment:
    """The virtual environment of a checkout and the record of what was installed into it.

    `redress-lock` in it holds the hash of the installed lock; `redress-installing` is there while an
    installation runs, and stays behind when one is cut off.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = root / ".venv"
        self.lock = root / "requirements.txt"
        self.installed = self.folder / "redress-lock"
        self.installing = self.folder / "redress-installing"
        self.python = self.folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")

    def ready(self) -> Path:
        """Return the environment's Python, after making, repairing or updating the environment where needed."""
        with self.lock.open("rb") as lock:
            if fcntl:
                fcntl.flock(lock, fcntl.LOCK_EX)  # of two commands started at once, one installs and one waits
            digest = hashlib.sha256(lock.read()).hexdigest()
            usable = self.usable()
            if usable and self.installed.is_file() and self.installed.read_text("utf-8").strip() == digest:
                return self.python
            if not usable:
                self.make()
            self.install(digest)
        return self.python

    def usable(self) -> bool:
        """Whether there is an environment that starts, has pip, and was not left half installed."""
        if not self.python.exists():
            return False
        if self.installing.exists():
            print("The last installation did not finish; .venv is made anew.")
            return False
        question = f"import pip, sys; sys.exit(sys.version_info < {OLDEST_PYTHON})"
        if subprocess.run([self.python, "-c", question], capture_output=True, check=False).returncode == 0:
            return True
        print("The Python in .venv does not start, is too old or has no pip; .venv is made anew.")
        return False

    def make(self) -> None:
        """Make an empty environment in place of whatever is there."""
        missing = [name for name in ("venv", "ensurepip") if importlib.util.find_spec(name) is None]
        if missing:
            raise StopError(
                f"Making .venv needs Python's {' and '.join(missing)}, which {sys.executable} lacks; on Debian and "
                "Ubuntu: apt-get install python3-venv. Then run this again."
            )
        print(f"Making {self.folder} with Python {sys.version.split()[0]}", flush=True)
        if subprocess.run([sys.executable, "-m", "venv", "--clear", self.folder], check=False).returncode:
            raise StopError(
                f"{self.folder} could not be made, for the reason shown above; if it says that ensurepip is not "
                "available, on Debian and Ubuntu: apt-get install python3-venv. Then run this again."
            )

    def install(self, digest: str) -> None:
        """Install the lock and record its hash once all of it is in."""
        self.installed.unlink(missing_ok=True)
        self.installing.touch()
        print(f"Installing {self.lock.name} into .venv; the first time takes some minutes", flush=True)
        options = ["--disable-pip-version-check", "--no-input", "--quiet", "--require-hashes", "-r", str(self.lock)]
        command = [str(self.python), "-m", "pip", "install", *options]
        if subprocess.run(command, cwd=self.root, check=False).returncode:
            raise StopError(
                f"Every package of {self.lock.name} must install; pip stopped for the reason shown above. Put that "
                "right (network, disk space, a Python that the packages support), then run this again."
            )
        partial = self.installed.with_suffix(".partial")
        partial.write_text(f"{digest}\n", "utf-8")
        partial.replace(self.installed)
        self.installing.unlink()


def chromium() -> str | None:
    """Return the path of an installed Chromium, or None."""
    return next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)


def call(command: Sequence[str | Path], **settings: str) -> int:
    """Run a command in the checkout and return its exit code."""
    return subprocess.run(command, cwd=ROOT, env={**os.environ, **settings}, check=False).returncode


def run(arguments: list[str]) -> int:
    """Start the dashboard, as the installed command does."""
    return call([Environment(ROOT).ready(), "-m", "core", "run", *arguments])


def spread_out(processors: int) -> tuple[list[str], dict[str, str]]:
    """Return what spreads the tests over processes, in the order of tests/conftest.py, and what shares the processors out among them.

    Threads of OpenMP wait for one another by spinning: with more of them than processors, they mostly do.
    """
    workers = min(processors, MOST_WORKERS)
    threads = os.environ.get("OMP_NUM_THREADS", str(processors // workers))
    return ["-n", str(workers), "--dist", "loadfile", "--no-loadscope-reorder"], {"OMP_NUM_THREADS": threads}


def test(arguments: list[str]) -> int:
    """Run the tests, those in a browser only where there is one; the whole suite on several processes, file by file."""
    python = Environment(ROOT).ready()
    browser = chromium()
    spread, settings = ([], {}) if arguments else spread_out(os.cpu_count() or 1)
    code = call([python, "-m", "pytest", *([] if browser else ["-m", "not browser"]), *spread, *arguments], **settings)
    if not browser:
        print(
            f"SKIPPED: the browser tests, because none of {', '.join(CHROMIUM_NAMES)} is installed; "
            "on Debian: apt-get install chromium"
        )
    return code


def check(arguments: list[str]) -> int:
    """Run every check, and say at the end which of them failed."""
    if arguments:
        raise StopError(
            f"check takes no arguments. Got {' '.join(arguments)!r}; for one tool alone: .venv/bin/python -m mypy"
        )
    python = Environment(ROOT).ready()
    contracts = "import sys; from importlinter.cli import lint_imports_command as lint; sys.exit(lint())"
    commands: dict[str, list[str]] = {
        "ruff check": ["-m", "ruff", "check", "."],
        "ruff format": ["-m", "ruff", "format", "--check", "."],
        "mypy": ["-m", "mypy"],
        "import contracts": ["-c", contracts],
        "names and first lines": ["-m", "checks"],
        "docstring examples": ["-m", "pytest", "--doctest-modules", "-q", "core"],
    }
    failed = []
    for name, command in commands.items():
        print(f"== {name}", flush=True)
        if call([python, *command]):
            failed.append(name)
    print(f"Failed: {', '.join(failed)}" if failed else "All checks passed")
    return 1 if failed else 0


def bench(arguments: list[str]) -> int:
    """List the benchmarks, or run one of them."""
    found = {path.stem.removeprefix("bench_"): path for path in sorted((ROOT / "benchmarks").glob("bench_*.py"))}
    if not arguments:
        for name, path in found.items():
            first = (ast.get_docstring(ast.parse(path.read_text("utf-8"))) or "").partition("\n")[0]
            print(f"{name:24}{first}")
        return 0
    name = Path(arguments[0]).stem.removeprefix("bench_")
    if name not in found:
        near = difflib.get_close_matches(name, found, n=1) or list(found)
        raise StopError(f"bench takes the name of a benchmark. Got {arguments[0]!r}; try {', '.join(near)}.")
    python = Environment(ROOT).ready()
    return call([python, found[name], *arguments[1:]], PYTHONPATH=str(ROOT))


def docs(arguments: list[str]) -> int:
    """Build the site of the documentation; a warning is a failure."""
    if arguments:
        raise StopError(f"docs takes no arguments. Got {' '.join(arguments)!r}; leave them out.")
    site = ROOT / "docs" / "_build"
    code = call([Environment(ROOT).ready(), "-m", "sphinx", "-W", "--keep-going", "-q", "docs", site])
    print(
        f"The site is at {(site / 'index.html').as_uri()}"
        if code == 0
        else "The site was not built, for the reasons shown above"
    )
    return code


COMMANDS: dict[str, Callable[[list[str]], int]] = {
    "run": run,
    "test": test,
    "check": check,
    "bench": bench,
    "docs": docs,
}


def main(arguments: list[str]) -> int:
    """Run the named command and return its exit code."""
    if sys.version_info < OLDEST_PYTHON:
        needed, got = ".".join(map(str, OLDEST_PYTHON)), sys.version.split()[0]
        print(f"Redress needs Python {needed} or newer. Got {got} ({sys.executable}); run dev.py with a newer one.")
        return 2
    if not arguments or arguments[0] in {"-h", "--help", "help"}:
        print((__doc__ or "").strip())
        return 0 if arguments else 2
    name, *rest = arguments
    if name not in COMMANDS:
        print(f"The command must be one of {', '.join(COMMANDS)}. Got {name!r} instead; see: python3 dev.py --help")
        return 2
    try:
        return COMMANDS[name](rest)
    except StopError as reason:
        print(reason)
        return 2
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
