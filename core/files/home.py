"""Where Redress keeps its own files, and for how long, as the environment says."""

from __future__ import annotations

import math
import os
from pathlib import Path

from core.errors import InputError, StorageError

HOME, KEEP_DAYS = "REDRESS_HOME", "REDRESS_KEEP_DAYS"
USUAL_DAYS = 30.0


def home_folder() -> Path:
    """Return the folder of cases and keys: `REDRESS_HOME`, or `.redress` in the user's own.

    Raises
    ------
    StorageError
        If the user has no folder and the variable is not set.
    """
    named = os.environ.get(HOME)
    try:
        return Path(named) if named else Path.home() / ".redress"
    except RuntimeError as error:
        raise StorageError(
            f"Redress must know a folder to keep its files in. This user has none; set {HOME} to one."
        ) from error


def days_kept() -> float:
    """Return how many days an uploaded case is kept: `REDRESS_KEEP_DAYS`, 30 by default.

    Raises
    ------
    InputError
        If the variable is no number above 0.
    """
    text = os.environ.get(KEEP_DAYS, "").strip()
    try:
        days = float(text) if text else USUAL_DAYS
    except ValueError:
        days = math.nan
    if not (math.isfinite(days) and days > 0):
        raise InputError(
            f"{KEEP_DAYS} must be a number of days above 0, such as 30 or 0.5. Got {text[:40]!r}; set it to one."
        )
    return days
