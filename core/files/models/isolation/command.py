"""The command that begins a child, and the little environment it gets."""

from __future__ import annotations

import os
import sys
from pathlib import Path

ROOT = Path(__file__).parents[4]
ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "NUMBA_NUM_THREADS": "1",
    "JE_ARROW_MALLOC_CONF": "background_thread:false",  # a process with one thread alone may be forked
    **{name: os.environ[name] for name in ("SYSTEMROOT",) if name in os.environ},  # Windows starts nothing without
}
"""All that a child gets of an environment."""


class NotStartedError(Exception):
    """A child could not be started."""


def code(call: str) -> list[str]:
    """Return the command of a new Python that calls ``module:function(arguments)``.

    It finds the same modules as this one.
    """
    path = [str(ROOT), *(str(Path(one).resolve()) for one in sys.path if one)]
    module, _, function = call.partition(":")
    name = function.partition("(")[0]
    text = f"import sys; sys.path[:] = {path!r}; from {module} import {name}; {function}"
    return [sys.executable, "-I", "-B", "-c", text]
