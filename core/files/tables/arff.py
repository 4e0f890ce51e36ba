"""Reading an ARFF file of OpenML or Weka; its types are declared, so none is guessed."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from sklearn.externals import _arff

from core.errors import InputError, LimitError, said
from core.files.tables.csv_format import find_encoding
from core.files.tables.limits import Limits

_START = re.compile(rb"^(?:\xef\xbb\xbf)?(?:\s|%[^\n]*\n)*@relation\b", re.IGNORECASE)
_NUMBERS = ("NUMERIC", "REAL", "INTEGER")


def is_arff(data: bytes) -> bool:
    """Return whether a file starts as an ARFF file does: comments, then the name of a relation."""
    return data[:1].lstrip()[:1] in (b"%", b"@", b"\xef", b"") and _START.match(data[: 1 << 16]) is not None


def read_arff(data: bytes, limits: Limits) -> tuple[pd.DataFrame, list[str]]:
    """Return the table in an ARFF file, and notes.

    Nominal values are text as they are spelled, also where they are digits; a question mark is missing.

    Raises
    ------
    InputError
        If it is not as it declares itself.
    LimitError
        If it has too many columns or cells.
    """
    encoding, _ = find_encoding(data)
    try:
        text = data.decode(encoding).removeprefix("\ufeff")
        rows = _arff.load(io.StringIO(text), return_type=_arff.DENSE_GEN if not _is_sparse(text) else _arff.LOD_GEN)
        names = [name for name, _ in rows["attributes"]]
        kinds = [kind for _, kind in rows["attributes"]]
        if len(names) > limits.max_columns:
            raise LimitError(
                f"A table can have at most {limits.max_columns:,} columns. Got {len(names):,}; leave out what is not needed."
            )
        cells = _within(rows["data"], len(names), limits)
        if _is_sparse(text):
            cells = [[row.get(place, _zero(kind)) for place, kind in enumerate(kinds)] for row in cells]
    except (_arff.ArffException, UnicodeError, ValueError, TypeError, IndexError, KeyError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(
            f"An ARFF table must be as it declares itself. It is not ({said(error)}); save it again."
        ) from error
    columns = {place: _column([row[place] for row in cells], kind) for place, kind in enumerate(kinds)}
    frame = pd.DataFrame(columns)
    frame.columns = pd.Index(names)
    return frame, []


def _is_sparse(text: str) -> bool:
    return re.search(r"@data\s*(?:%[^\n]*\n\s*)*\{", text, re.IGNORECASE) is not None


def _zero(kind: Any) -> Any:
    return 0.0 if isinstance(kind, str) and kind in _NUMBERS else kind[0] if isinstance(kind, list) else ""


def _within(rows: Any, width: int, limits: Limits) -> list[Any]:
    kept = []
    for row in rows:
        kept.append(row)
        if len(kept) * width > limits.max_cells:
            raise LimitError(
                f"A table can have at most {limits.max_cells:,} cells, rows x columns. Got more; leave out rows that are not needed."
            )
    return kept


def _column(values: Sequence[Any], kind: Any) -> pd.Series[Any]:
    if isinstance(kind, str) and kind.upper() in _NUMBERS:
        numbers = np.array([np.nan if value is None else value for value in values], dtype=np.float64)
        whole = (
            np.isfinite(numbers).all()
            and bool((numbers == np.round(numbers)).all())
            and np.abs(numbers).max(initial=0) < 1 << 53
        )
        return pd.Series(numbers.astype(np.int64) if whole else numbers)
    return pd.Series([None if value is None else str(value) for value in values], dtype="str")
