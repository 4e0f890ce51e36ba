"""Start the command line: ``python -m core audit CASE``."""

from __future__ import annotations

import sys

from core.command_line.main import main

if __name__ == "__main__":
    sys.exit(main())
