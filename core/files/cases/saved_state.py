"""An unlearner's state as plain arrays in a case's folder.

A case that is read back carries them as a `SavedState`, and the unlearner that knows their kind checks them and makes its own state
of them once it prepares the case.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from core.errors import InputError, LimitError
from core.files.tables.limits import MIB, show_bytes
from core.typing import Array

MOST_BYTES = 2_048 * MIB
"""Of all arrays together, once unzipped."""


def arrays_as_bytes(arrays: Mapping[str, Array]) -> bytes:
    """Return arrays of numbers as one compressed file."""
    written = io.BytesIO()
    np.savez_compressed(written, allow_pickle=False, **arrays)
    return written.getvalue()


def read_arrays(path: Path, key: str, max_bytes: int = MOST_BYTES) -> dict[str, Array]:
    """Read arrays of numbers; nothing in the file is ever unpickled.

    Raises
    ------
    LimitError
        If they would take more than `max_bytes`.
    InputError
        If the file is missing, damaged, or holds anything but numbers and truth values.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(member.file_size for member in archive.infolist())
        if size > max_bytes:
            raise LimitError(
                f"{key} can take at most {show_bytes(max_bytes)} once unzipped. Got {show_bytes(size)} in {path.name!r}; "
                "remove the section [state], and the model is prepared anew."
            )
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, KeyError) as error:
        if isinstance(error, LimitError):
            raise
        raise _damaged(key, path, str(error)) from error
    for name, values in arrays.items():
        if values.dtype.kind not in "biuf":
            raise _damaged(key, path, f"{name} holds {values.dtype}")
    return arrays


def _damaged(key: str, path: Path, why: str) -> InputError:
    return InputError(
        f"{key} must name a file of plain arrays. {path.name!r} is missing or damaged ({why}); restore it, or remove the section [state]."
    )
