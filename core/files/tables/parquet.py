"""Reading a Parquet file into a table, after looking at its footer."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from core.errors import InputError, LimitError, listed, said
from core.files.tables.limits import Limits, show_bytes

MAGIC = b"PAR1"
UNNAMED_INDEX = re.compile(r"__index_level_\d+__")
"""What pandas calls an index, or a level of one, that has no name."""


def read_parquet(data: bytes, limits: Limits) -> pd.DataFrame:
    """Return the table in a Parquet file.

    Sizes are checked from its footer before any row is read.

    Text is read as dictionaries and its full size worked out before it is spread over the rows, since a small file can
    repeat a long text many times. An index that pandas wrote without a name is a column without one; a range is a
    column where it has a name.

    Parameters
    ----------
    data : bytes
        The file.
    limits : Limits
        What the table must keep.

    Raises
    ------
    InputError
        If the file is cut off, or a column holds lists, records or raw bytes.
    LimitError
        If it has too many columns or cells, or would take too much memory.
    """
    try:
        footer = pq.ParquetFile(pa.BufferReader(data))
        _check_footer(footer, limits)
        kinds = footer.schema_arrow
        texts = [
            field.name for field in kinds if pa.types.is_string(field.type) or pa.types.is_large_string(field.type)
        ]
        target = pa.schema([field.with_type(_plain(field.type)) for field in kinds])
        file = pq.ParquetFile(pa.BufferReader(data), read_dictionary=texts)
        parts, taken = [], 0
        for group in range(file.num_row_groups):
            part = file.read_row_group(group)
            taken += part.nbytes + sum(
                _text_bytes(part.column(i)) for i, field in enumerate(kinds) if field.name in texts
            )
            if taken > limits.max_memory:
                raise _too_much(taken, limits)
            parts.append(part.cast(target))
        table = pa.concat_tables(parts) if parts else target.empty_table()
    except (pa.ArrowException, OSError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(
            f"A Parquet table must be whole. This one cannot be read ({said(error)[:200]}); save or upload it again."
        ) from error
    frame = _frame(table)
    frame.columns = pd.Index(["" if UNNAMED_INDEX.fullmatch(name) else name for name in frame.columns])
    named = _named_range(kinds, len(frame))
    if named is not None:
        name, values = named
        frame["" if name in frame.columns else name] = pd.Index(values)
    return frame


def _frame(table: Any) -> pd.DataFrame:
    """Return the table of pandas; columns of dates that it cannot hold are named."""
    kinds = table.schema
    for place, field in enumerate(kinds):
        if not pa.types.is_temporal(field.type):
            continue
        try:
            table.column(place).to_pandas()
        except (pa.ArrowException, ValueError, OverflowError, KeyError, OSError) as error:
            zone = getattr(field.type, "tz", None)
            what = f"the zone is {zone!r}" if zone else f"some lie beyond the years it can hold ({said(error)[:120]})"
            raise InputError(
                f"Dates must be ones that pandas can hold, in a known time zone. Those of {field.name!r} are not: {what}; write "
                " them as text, or in UTC."
            ) from error
    frame: pd.DataFrame = table.to_pandas(ignore_metadata=True)
    return frame


def _named_range(kinds: Any, rows: int) -> tuple[str, range] | None:
    """Return the index that pandas stored as a range, and so in no column, if it has a name.

    What describes no such index is ignored.
    """
    with suppress(KeyError, TypeError, ValueError):
        (index,) = json.loads(kinds.metadata[b"pandas"])["index_columns"]
        values = range(index["start"], index["stop"], index["step"])
        if index["kind"] == "range" and isinstance(index["name"], str) and len(values) == rows:
            return index["name"], values
    return None


def _check_footer(file: Any, limits: Limits) -> None:
    meta, kinds = file.metadata, file.schema_arrow
    groups = [meta.row_group(i) for i in range(meta.num_row_groups)]
    rows = max(meta.num_rows, sum(group.num_rows for group in groups))
    if meta.num_columns > limits.max_columns:
        raise LimitError(
            f"A table can have at most {limits.max_columns:,} columns. Got {meta.num_columns:,}; leave out what is not needed."
        )
    if rows * meta.num_columns > limits.max_cells:
        raise LimitError(
            f"A table can have at most {limits.max_cells:,} cells, rows x columns. Got {rows:,} rows of {meta.num_columns} "
            "columns; leave out rows or columns that are not needed."
        )
    size = sum(group.total_byte_size for group in groups)
    if size > limits.max_memory:
        raise _too_much(size, limits)
    odd = [field.name for field in kinds if _is_odd(field.type)]
    if odd:
        raise InputError(
            f"A column must hold numbers, text, dates or truth values. {listed(odd)} holds lists, records or raw bytes; leave it out or write it as text."
        )


def _plain(kind: Any) -> Any:
    return pa.float64() if pa.types.is_decimal(kind) else kind


def _is_odd(kind: Any) -> bool:
    tests = (pa.types.is_nested, pa.types.is_binary, pa.types.is_large_binary, pa.types.is_fixed_size_binary)
    return any(test(kind) for test in tests)


def _text_bytes(column: Any) -> int:
    """Return the bytes of a dictionary-encoded text column once it is spread over its rows."""
    total = 0
    for chunk in column.chunks:
        if isinstance(chunk, pa.DictionaryArray) and len(chunk.dictionary):
            lengths = pc.binary_length(chunk.dictionary).cast(pa.int64())
            total += pc.sum(lengths.take(chunk.indices)).as_py() or 0
    return total


def _too_much(size: int, limits: Limits) -> LimitError:
    return LimitError(
        f"A table can take at most {show_bytes(limits.max_memory)} of memory. Got {show_bytes(size)}; "
        "leave out rows or columns that are not needed."
    )
