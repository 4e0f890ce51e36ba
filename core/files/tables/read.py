"""Reading tables from files, and saying what is odd about them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from core.errors import InputError, InputTypeError, listed, nearest
from core.files.tables import parquet
from core.files.tables.arff import is_arff, read_arff
from core.files.tables.csv import read_csv
from core.files.tables.csv_format import CsvFormat
from core.files.tables.limits import Limits, Source, check_limits, read_source
from core.files.tables.spelling import FORMULA_STARTS, Spelled
from core.files.tables.unpacked import is_spreadsheet, unpacked
from core.files.tables.xlsx import read_xlsx

_FIELDS = ("delimiter", "decimal", "thousands", "encoding", "header", "names", "sheet")
_FOREIGN = {b"%PDF": "a PDF document", b"\x80\x04": "a pickle file"}


@dataclass(frozen=True)
class LoadedTable:
    """A table as read from a file.

    Parameters
    ----------
    frame : DataFrame
        Its rows.
    format : CsvFormat or None
        How the CSV file was written; None for other files.
    notes : tuple of str
        What is odd about it, one sentence each. Column names stand in them as they are in the file.
    spelling : callable, optional
        Gives columns, by their places in the table, as the file spells their cells; None where cells have types of their own.
    """

    frame: pd.DataFrame
    format: CsvFormat | None = None
    notes: tuple[str, ...] = field(default=())
    spelling: Spelled | None = field(default=None, repr=False, compare=False)

    def spelled(self, names: Sequence[str]) -> pd.DataFrame:
        """Return columns as the file spells their cells, an empty cell as an empty text.

        O(size of the file). Of a file whose cells have types of their own, as they are.
        """
        places = [self.frame.columns.to_list().index(name) for name in names]
        if self.spelling is None:
            return self.frame[list(names)]
        table = self.spelling(places)
        table.columns = pd.Index([self.frame.columns[place] for place in sorted(places)])
        return table[list(names)]


def read_table(
    source: Source,
    name: str | None = None,
    *,
    limits: Limits = Limits(),  # noqa: B008
    text: Sequence[str] = (),
    **known: Any,
) -> LoadedTable:
    r"""Read a CSV, Parquet, Excel (.xlsx) or ARFF file, also a compressed one.

    Which it is is told from the content; gzip, bzip2, xz, or zip of one file may compress it. Of a CSV file, encoding, delimiter, decimal
    and thousands marks are found out; each can be set instead. A line `sep=;` and comments before or between the rows are left out.
    O(size of the file).

    Cells such as 01067 or +4930123456 stay text. A word such as NA or None in a column of text is read as missing, and the table's `attrs`
    keep which and how often: a `core.Case` whose model knows the word as a category puts it back. An apostrophe before what a spreadsheet
    would take for a formula is left out.

    Parameters
    ----------
    source : str, Path, bytes or binary file
        The file.
    name : str, optional
        What to call it in error sentences; never used as a path.
    limits : Limits
        What the table must keep.
    text : sequence of str
        Columns of a CSV file to keep as they are spelled, with words such as NA.
    **known
        `delimiter`, `decimal`, `thousands`, `encoding` of a CSV file, as in `CsvFormat`; `header=False` where it has no line of column
        names, `names` to name them; the `sheet` of a spreadsheet.

    Returns
    -------
    Table

    Raises
    ------
    LimitError
        If the file or the table is too large.
    InputError
        If it is empty, damaged or protected, has one column, no rows, or a first line that holds no names.

    Examples
    --------
    >>> table = read_table(b"name;income\nAnn;1,5\nBob;2,25\n")
    >>> table.frame["income"].tolist(), table.format.decimal
    ([1.5, 2.25], ',')
    """
    unknown = [key for key in known if key not in _FIELDS]
    if unknown:
        raise InputError(
            f"Only {listed(_FIELDS, most=7)} of a file can be set. Got {unknown[0]!r}.{nearest(unknown[0], _FIELDS)}"
        )
    known = {key: value for key, value in known.items() if value is not None or key == "thousands"}
    check_limits(limits, Limits)
    if isinstance(text, str) or not all(isinstance(one, str) for one in text):
        raise InputTypeError(f"`text` must be a list of column names. Got {text!r}; write [{text!r}].")
    try:
        return _read(read_source(source, "table", limits.max_bytes), limits, known, tuple(text))
    except InputError as error:
        if name is None:
            raise
        raise type(error)(f"{name}: {error}") from error


def safe_for_csv(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a copy in which no text can start a spreadsheet formula.

    That holds for text cells, column names and index labels.

    Text that starts with ``= + - @``, a tab or a carriage return gets an apostrophe in front, which `read_table` leaves out
    again. Numbers stay.

    Parameters
    ----------
    frame : DataFrame
        The table to export.

    Examples
    --------
    >>> safe_for_csv(pd.DataFrame({"a": ["=1+1", "x"], "b": [-1, 2]})).to_csv(index=False).split()
    ['a,b', "'=1+1,-1", 'x,2']
    """
    safe = frame.copy()
    for position in range(frame.shape[1]):
        column = frame.iloc[:, position]
        if not (pd.api.types.is_numeric_dtype(column) or pd.api.types.is_datetime64_any_dtype(column)):
            safe.isetitem(position, column.astype(object).map(_quoted).to_numpy())
    safe.columns = frame.columns.map(_quoted)
    safe.index = frame.index.map(_quoted) if len(frame) else frame.index
    safe.index.names = [_quoted(name) for name in frame.index.names]
    safe.columns.names = frame.columns.names
    return safe


def _quoted(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(_quoted(part) for part in value)
    return f"'{value}" if isinstance(value, str) and value.lstrip("'").startswith(FORMULA_STARTS) else value


def _read(data: bytes, limits: Limits, known: dict[str, Any], text: Sequence[str]) -> LoadedTable:
    form, spelling, notes = None, None, list[str]()
    spreadsheet = is_spreadsheet(data)
    if not spreadsheet:
        data = unpacked(data, limits)
    for magic, kind in _FOREIGN.items():
        if data.startswith(magic):
            raise InputError(
                f"A table must be a CSV, Excel, ARFF or Parquet file. Got {kind}; save the table as one of these."
            )
    sheet = known.pop("sheet", None)
    if spreadsheet:
        frame, notes = read_xlsx(data, limits, sheet)
    elif data.startswith(parquet.MAGIC):
        frame = parquet.read_parquet(data, limits)
    elif is_arff(data):
        frame, notes = read_arff(data, limits)
    else:
        frame, form, notes, spelling = read_csv(data, limits, known, text)
    table = loaded(frame, form, notes, spelling)
    unknown = [name for name in text if name not in table.frame.columns]
    if unknown:
        raise InputError(
            f"`text` must name columns of the table. It has no {listed(unknown)}.{nearest(unknown[0], table.frame.columns)}"
        )
    return table


def loaded(
    frame: pd.DataFrame, form: CsvFormat | None = None, notes: Iterable[str] = (), spelling: Spelled | None = None
) -> LoadedTable:
    """Return a table with unique names, and notes on what is odd about it.

    Raises
    ------
    InputError
        If it has one column or no rows.
    """
    said = list(notes)
    frame.columns = pd.Index(_checked_names([str(name) for name in frame.columns], said))
    if frame.shape[1] < 2:
        raise InputError("A table must have at least two columns. Got one; check that the file is the right one.")
    if len(frame) == 0:
        raise InputError(
            f"A table must have rows. Got the column names {listed(frame.columns)} and no rows; check the file."
        )
    return LoadedTable(frame, form, (*said, *_oddities(frame)), spelling)


def _checked_names(names: list[str], notes: list[str]) -> list[str]:
    """Return unique names: repeated ones are numbered as pandas does."""
    for position, name in enumerate(names):
        if not name.strip():
            given = f"column {position + 1}"
            while given in names:
                given += "_"
            names[position] = given
            notes.append(f"Column {position + 1} has no name and is called {given!r} here.")
    repeated = sorted({name for name in names if names.count(name) > 1}) if len(set(names)) < len(names) else []
    if repeated:
        names = _numbered(names)
        notes.append(
            f"Columns are called {listed(repeated)} more than once; the later ones are numbered, as {repeated[0] + '.1'!r} is."
        )
    return names


def _numbered(names: list[str]) -> list[str]:
    taken, numbered = set(names), list[str]()
    seen = Counter[str]()
    for name in names:
        new = name
        if seen[name]:
            while new in taken:
                new = f"{name}.{seen[name]}"
                seen[name] += 1
            taken.add(new)
        else:
            seen[name] = 1
        numbered.append(new)
    return numbered


def _oddities(frame: pd.DataFrame) -> Iterable[str]:
    empty, infinite = [], []
    for name in frame.columns:
        column = frame[name]
        if column.isna().all():
            empty.append(name)
        elif pd.api.types.is_float_dtype(column) and np.isinf(column.to_numpy(dtype=np.float64, na_value=np.nan)).any():
            infinite.append(name)
        elif isinstance(column.dtype, pd.StringDtype):
            yield from _mixed(column)
    if empty:
        yield f"No row has a value in {listed(empty)}; a model cannot learn from such a column."
    if infinite:
        yield f"Infinite values occur in {listed(infinite)}; models refuse them, so replace them or leave the cells empty."


def _mixed(column: pd.Series[Any]) -> Iterable[str]:
    """Say so where most cells of a text column are numbers."""
    texts = column.dropna()
    plain = texts.str.strip().str.fullmatch(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?").to_numpy(dtype=bool)
    if 0.5 <= plain.mean() < 1:
        others = texts[~plain]
        values = [re.sub(r"\s+", " ", value)[:40] for value in others.unique()[:6]]
        yield f"{column.name!r} mixes numbers and text: {len(others):,} of {len(texts):,} cells are not plain numbers ({listed(values)}); it is kept as text."
