"""How large a file may be, and reading one without ever holding more than that."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TypeAlias

from core.errors import InputError, InputTypeError, LimitError

MIB = 1 << 20

Source: TypeAlias = str | Path | bytes | BinaryIO


@dataclass(frozen=True)
class Limits:
    """The limits a table must keep.

    Parameters
    ----------
    max_bytes : int
        Size of the file.
    max_cells : int
        Rows x columns.
    max_columns : int
        Columns.
    max_memory : int
        Bytes the table takes once it is read.
    """

    max_bytes: int = 200 * MIB
    max_cells: int = 60_000_000
    max_columns: int = 2_000
    max_memory: int = 2_048 * MIB


@dataclass(frozen=True)
class ModelLimits:
    """The limits a model must keep: its skops file, and the time it takes.

    Parameters
    ----------
    max_bytes : int
        Size of the file.
    max_unzipped : int
        Sum of the sizes of its members once unzipped, counted as often as the model refers to them.
    max_members : int
        Files inside the archive.
    max_schema : int
        Size of `schema.json` inside the archive.
    max_nodes : int
        Objects described by `schema.json`.
    max_opcodes : int
        Instructions of a pickle.
    max_objects : int
        Objects in a pickle that can hold others.
    max_depth : int
        Levels of nesting in `schema.json`.
    max_read_seconds : float
        Time for reading a pickle.
    max_seconds : float
        Time for scoring the test rows.
    """

    max_bytes: int = 200 * MIB
    max_unzipped: int = 512 * MIB
    max_members: int = 50_000
    max_schema: int = 32 * MIB
    max_nodes: int = 200_000
    max_opcodes: int = 5_000_000
    max_objects: int = 1_000_000
    max_depth: int = 100
    max_read_seconds: float = 30.0
    max_seconds: float = 120.0


def check_limits(limits: object, kind: type) -> None:
    """Raise unless limits are of a kind."""
    if not isinstance(limits, kind):
        raise InputTypeError(
            f"Limits must be given as core.files.tables.limits.{kind.__name__}. Got {type(limits).__name__}; leave them out for the usual ones."
        )


def read_source(source: Source, what: str, max_bytes: int) -> bytes:
    """Return the bytes of a path, of an open file or of bytes, refusing more than `max_bytes`.

    Parameters
    ----------
    source : str, Path, bytes or binary file
        What to read. A binary file is read from where it stands.
    what : str
        What it is, for the error sentence: ``"table"``.
    max_bytes : int
        Most bytes to read.

    Returns
    -------
    bytes

    Raises
    ------
    LimitError
        If there is more.
    InputError
        If there is no such file.
    InputTypeError
        If `source` is none of the above.

    Examples
    --------
    >>> read_source(b"a,b", "table", 10)
    b'a,b'
    """
    if isinstance(source, bytes):
        data = source
    elif isinstance(source, str | Path):
        data = _read_path(Path(source), what, max_bytes)
    elif hasattr(source, "read"):
        data = source.read(max_bytes + 1)
        if not isinstance(data, bytes):
            raise InputTypeError(f"A {what} must be opened in binary mode. Got text; open it with mode 'rb'.")
    else:
        raise InputTypeError(
            f"A {what} must be a path, bytes or a binary file. Got {type(source).__name__}; hand in one of these."
        )
    if len(data) > max_bytes:
        raise _too_large(what, len(data), max_bytes)
    return data


def show_bytes(size: int) -> str:
    """Return a size in words.

    Examples
    --------
    >>> show_bytes(300 * MIB), show_bytes(2500), show_bytes(12)
    ('300 MB', '2.44 kB', '12 bytes')
    """
    if size >= MIB:
        return f"{size / MIB:.3g} MB" if size < 1000 * MIB else f"{size / MIB:,.0f} MB"
    return f"{size / 1024:.3g} kB" if size >= 1024 else f"{size} bytes"


def _read_path(path: Path, what: str, max_bytes: int) -> bytes:
    if not path.is_file():
        kind = "a folder" if path.is_dir() else "nothing"
        raise InputError(f"The {what} must be a file. Got {kind} at {str(path)!r}; check the path.")
    size = path.stat().st_size
    if size > max_bytes:
        raise _too_large(what, size, max_bytes)
    with path.open("rb") as file:
        return file.read(max_bytes + 1)


def _too_large(what: str, size: int, max_bytes: int) -> LimitError:
    return LimitError(
        f"A {what} can be at most {show_bytes(max_bytes)}. Got {show_bytes(size)}; "
        f"{'save a smaller model' if what == 'model' else 'leave out rows or columns that are not needed'}."
    )
