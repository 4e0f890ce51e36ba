"""Tables as plain values, for what processes tell one another."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pyarrow as pa

_KINDS = (bool, int, float, str, type(None))


def pack_frame(frame: pd.DataFrame) -> dict[str, Any]:
    """Return a table as a plain value.

    Columns of one kind are as Arrow writes them, others go cell by cell.
    The index is left out. Cells of other kinds than a table of text can hold become text.
    """
    plain: dict[str, Any] = {}
    mixed: dict[str, Any] = {}
    for place in range(frame.shape[1]):
        column = frame.iloc[:, place].reset_index(drop=True)
        try:
            if column.dtype == object:  # None and NaN are two things there
                raise TypeError
            pa.Table.from_pandas(column.to_frame("c"), preserve_index=False)
        except (pa.ArrowException, TypeError, ValueError):
            mixed[str(place)] = [_cell(one) for one in column.tolist()]
        else:
            plain[str(place)] = column
    table = pa.Table.from_pandas(pd.DataFrame(plain), preserve_index=False)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return {
        "rows": len(frame),
        "names": list(map(str, frame.columns)),
        "arrow": sink.getvalue().to_pybytes(),
        "mixed": mixed,
    }


def unpack_frame(packed: dict[str, Any]) -> pd.DataFrame:
    """Return the table that `pack_frame` was given, its rows numbered from 0."""
    with pa.ipc.open_stream(packed["arrow"]) as reader:
        frame: pd.DataFrame = reader.read_all().to_pandas(use_threads=False)
    for place, cells in packed["mixed"].items():
        frame[place] = pd.Series(cells, dtype=object, index=range(packed["rows"]))
    frame = frame[[str(place) for place in range(len(packed["names"]))]]
    return frame.set_axis(packed["names"], axis=1)


def _cell(value: Any) -> Any:
    value = value.item() if hasattr(value, "item") else value
    return value if type(value) in _KINDS else str(value)
