"""How long do ``import core`` and the first use of its main names take, against importing what these use of pandas, scikit-learn and numba?

The alternative imports the very modules of the three packages that the modules of core import by then, and nothing else. Both start in
a Python of their own, in turns, with what Python keeps of a module once it is compiled. CPU seconds (user and system) are steadier
than those of a clock where others use the machine, and both are shown, as is the time until the command line has said its help.
"""

from __future__ import annotations

import argparse
import ast
import os
import subprocess
import sys
import time
from statistics import median

import numpy as np

USED = "import core; core.Case; core.unlearn; core.audit"
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
PACKAGES = ("pandas", "sklearn", "numba")
LISTED = f"{USED}; import sys; print(*(module.__file__ for name, module in sys.modules.items() if name.partition('.')[0] == 'core'), sep='\\n')"


def run(*command: str) -> str:
    python = [sys.executable, *command]
    return subprocess.run(python, env=ENVIRONMENT, capture_output=True, text=True, check=True).stdout  # noqa: S603


def imported(path: str) -> set[str]:
    """Return the modules of the three packages that a file imports when it is imported itself."""
    with open(path, encoding="utf-8") as file:
        lines = ast.parse(file.read()).body
    named = {str(line.module) for line in lines if isinstance(line, ast.ImportFrom)}
    named |= {alias.name for line in lines if isinstance(line, ast.Import) for alias in line.names}
    return {name for name in named if name.partition(".")[0] in PACKAGES}


def alternative() -> str:
    files = run("-c", LISTED).split("\n")
    return "import " + ", ".join(sorted(set().union(*(imported(path) for path in files if path.endswith(".py")))))


def seconds(*command: str) -> tuple[float, float]:
    """Return what a Python takes: CPU seconds and those of a clock."""
    before, start = os.times(), time.perf_counter()
    run(*command)
    after, end = os.times(), time.perf_counter()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return cpu, end - start


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--repeats", type=int, default=7)
    repeats = parser.parse_args().repeats
    others = alternative()
    starts = {
        "import core, Case, unlearn, audit": ("-c", USED),
        "what these use of pandas, scikit-learn and numba": ("-c", others),
        "import core": ("-c", "import core"),
        "python -m core --help": ("-m", "core", "--help"),
        "python alone": ("-c", ""),
    }
    for command in starts.values():
        seconds(*command)  # files are read from disk and compiled to bytecode
    taken = {name: np.array([(0.0, 0.0)] * repeats) for name in starts}
    for turn in range(repeats):
        for name, command in starts.items():
            taken[name][turn] = seconds(*command)
    print(f"{others}\n\nMedians of {repeats}\n{'':50}{'CPU s':>8}{'clock s':>9}")
    for name, each in taken.items():
        print(f"{name:50}{median(each[:, 0]):8.3f}{median(each[:, 1]):9.3f}")
    ours, theirs = list(taken.values())[:2]
    for column, clock in enumerate(("CPU seconds", "a clock")):
        ratios = ours[:, column] / theirs[:, column]
        print(f"Ratio by {clock}: {median(ratios):.2f} (from {ratios.min():.2f} to {ratios.max():.2f} in single turns)")


if __name__ == "__main__":
    main()
