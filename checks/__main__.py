"""Run the checks on a checkout, by default the one they stand in: python -m checks [FOLDER]."""

import sys
from pathlib import Path

from checks.docstrings import wordy
from checks.names import PACKAGES, repeated

ROOT = Path(__file__).resolve().parents[1]
PASSED = "Every public name has one meaning, and every docstring a short first line"


def main(arguments: list[str]) -> int:
    """Print every fault, and return the exit code."""
    root = Path(arguments[0]) if arguments else ROOT
    found = [*repeated(root), *wordy(root, PACKAGES)]
    sys.stdout.write("\n".join(found or [PASSED]) + "\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
