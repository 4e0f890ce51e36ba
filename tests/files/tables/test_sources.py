"""Compressed files, spreadsheets, ARFF, comments: the same table, or a sentence."""

from __future__ import annotations

import bz2
import contextlib
import datetime
import gzip
import io
import lzma
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

import core
from core.case.readings.alike import READ_AS_MISSING
from core.errors import InputError, LimitError, RedressError
from core.files.tables.limits import Limits

TABLE = pd.DataFrame({"name": ["Ann", "Zoë", "Bob"], "income": [1.5, 2.25, 3.0], "age": [30, 41, 52]})
DATA = TABLE.to_csv(index=False).encode()


def zipped(*members: tuple[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return out.getvalue()


PACKED: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zip": lambda data: zipped(("../table.csv", data), ("__MACOSX/._table.csv", b"x")),
}


@pytest.mark.parametrize("pack", PACKED.values(), ids=PACKED)
def test_compressed_tables_within_the_limits(pack: Callable[[bytes], bytes]) -> None:
    pd.testing.assert_frame_equal(core.read_table(pack(DATA)).frame, TABLE)
    large = pack(b"a,b\n" + b"1,2\n" * 500_000)
    assert len(large) < 100_000
    with pytest.raises(LimitError, match="at most 1 MB once it is unpacked"):
        core.read_table(large, limits=Limits(max_bytes=1 << 20))
    with pytest.raises(InputError, match="must be whole"):
        core.read_table(pack(DATA)[:-12])
    with pytest.raises(InputError, match="compressed once"):
        core.read_table(pack(gzip.compress(DATA)))


def test_archives_of_several_files_and_with_a_password_are_refused() -> None:
    with pytest.raises(InputError, match=r"must hold one file, the table\. Got 'a.csv', 'b.csv'"):
        core.read_table(zipped(("a.csv", DATA), ("b.csv", DATA)))
    for others in ((), (("1.npy", b"x"),)):
        with pytest.raises(InputError, match=r"^A table must be a CSV or Parquet .* a model in a skops file"):
            core.read_table(zipped(("schema.json", b"{}"), *others))
    locked = bytearray(zipped(("a.csv", DATA)))
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        locked[locked.index(mark) + offset] |= 1
    with pytest.raises(InputError, match="without a password"):
        core.read_table(bytes(locked))


def test_xz_that_asks_for_much_memory_is_refused() -> None:
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 9, "dict_size": 512 << 20}]
    with pytest.raises(InputError, match=r"must be readable.*[Mm]emory"):
        core.read_table(lzma.compress(DATA, filters=filters))


def workbook(rows: list[list[Any]], *, title: str = "people", formats: dict[str, str] | None = None) -> bytes:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = title
    for row in rows:
        sheet.append(row)
    for place, form in (formats or {}).items():
        sheet[place].number_format = form
    book.create_sheet("notes").append(["x"])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def test_a_spreadsheet_is_read_as_it_is_typed() -> None:
    day = datetime.datetime(2024, 2, 3)
    rows = [
        ["name", "zip", "code", "n", "on", "since", "kind", "mixed", 2019],
        ["Ann", 1067, "01067", 1.5, True, day, "None", 1, 1],
        ["Bob", 10115, "10115", None, False, day, "Fixed", "x", 2],
    ]
    table = core.read_table(workbook(rows, formats={"B2": "00000", "B3": "00000"}))
    frame = table.frame
    assert frame.columns.tolist() == ["name", "zip", "code", "n", "on", "since", "kind", "mixed", "2019"]
    assert frame["zip"].tolist() == ["01067", "10115"]
    assert frame["code"].tolist() == ["01067", "10115"]
    assert frame["n"].tolist()[0] == 1.5
    assert frame["on"].tolist() == [True, False]
    assert frame["since"].tolist() == [pd.Timestamp(day)] * 2
    assert frame["mixed"].tolist() == ["1", "x"]
    assert frame["2019"].dtype == np.int64
    assert frame.attrs[READ_AS_MISSING] == {"kind": {"None": 1}}
    assert table.notes[0] == "The sheet 'people' is read; the file has others: 'notes'."
    with pytest.raises(InputError, match=r"one of 'people', 'notes'. Got 'peple'. Did you mean 'people'"):
        core.read_table(workbook(rows), sheet="peple")
    with pytest.raises(InputError, match="has 1 lines; choose another"):
        core.read_table(workbook(rows), sheet="notes")


def test_a_spreadsheet_keeps_the_limits_and_its_damage_is_a_sentence() -> None:
    rows: list[list[Any]] = [["a", "b"], *([i, i] for i in range(200))]
    data = workbook(rows)
    with pytest.raises(LimitError, match="at most 100 cells"):
        core.read_table(data, limits=Limits(max_cells=100))
    with pytest.raises(LimitError, match="at most 1 columns"):
        core.read_table(data, limits=Limits(max_columns=1))
    with pytest.raises(LimitError, match="can take at most"):
        core.read_table(data, limits=Limits(max_memory=1 << 12))
    with pytest.raises(InputError, match="Line 2 has 3"):
        core.read_table(workbook([["a", "b"], [1, 2, 3]]))
    entities = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(entities, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            new.writestr(name, b'<!DOCTYPE x [<!ENTITY a "b">]>' + content if name.endswith("sheet1.xml") else content)
    with pytest.raises(InputError, match="must not define entities"):
        core.read_table(entities.getvalue())


def test_a_line_far_below_all_others_is_refused() -> None:
    data, out = workbook([["a", "b"], [1, 2]]), io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name).replace(b'r="2"', b'r="99999999999"'))
    with pytest.raises(InputError):
        core.read_table(out.getvalue())


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 4000), st.integers(0, 255))
def test_damaged_spreadsheets_give_a_table_or_a_sentence(place: int, byte: int) -> None:
    data = bytearray(SHEET)
    data[place % len(data)] = byte
    with contextlib.suppress(RedressError):
        assert core.read_table(bytes(data)).frame.size


SHEET = workbook([["a", "b"], [1, "x"], [2, "y"]])


def test_a_spreadsheet_with_a_password_is_a_sentence() -> None:
    data = b"\xd0\xcf\x11\xe0" + bytes(600) + "EncryptedPackage".encode("utf-16-le") + bytes(600)
    with pytest.raises(InputError, match="without a password"):
        core.read_table(data)


ARFF = """% made for a test
@RELATION people
@ATTRIBUTE 'age group' {'18-30', 'over 30'}
@ATTRIBUTE code {1, 2}
@ATTRIBUTE income NUMERIC
@ATTRIBUTE n INTEGER
@ATTRIBUTE note STRING
@DATA
'18-30',1,1.5,3,'a, b'
'over 30',2,?,4,?
"""


def test_arff_has_the_types_that_it_declares() -> None:
    frame = core.read_table(ARFF.encode()).frame
    assert frame["age group"].tolist() == ["18-30", "over 30"]
    assert frame["code"].tolist() == ["1", "2"]
    assert frame["income"].isna().tolist() == [False, True]
    assert frame["n"].dtype == np.int64
    assert frame["note"].tolist()[0] == "a, b"
    sparse = "@relation r\n@attribute a numeric\n@attribute b {x, y}\n@data\n{0 3}\n{0 1, 1 y}\n"
    assert core.read_table(sparse.encode()).frame.to_dict("list") == {"a": [3, 1], "b": ["x", "y"]}
    with pytest.raises(InputError, match="as it declares itself"):
        core.read_table(ARFF.replace("'over 30',2", "'over 40',2").encode())
    with pytest.raises(LimitError, match="at most 5 cells"):
        core.read_table(ARFF.encode(), limits=Limits(max_cells=5))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize(
    ("before", "delimiter", "note"),
    [
        ("sep=;\n", ";", ""),
        ('"sep=|"\n', "|", ""),
        ("# made by hand\n# in May; or June\n", ",", "2 lines that start with #"),
        ("sep=;\n# made by hand\n", ";", "1 lines that start with #"),
    ],
)
def test_what_stands_before_the_names(before: str, delimiter: str, note: str, encoding: str) -> None:
    table = core.read_table((before + TABLE.to_csv(index=False, sep=delimiter)).encode(encoding))
    pd.testing.assert_frame_equal(table.frame, TABLE)
    assert table.format is not None
    assert table.format.delimiter == delimiter
    assert (note in " ".join(table.notes)) if note else table.notes == ()


def test_comments_between_rows_and_names_in_a_comment() -> None:
    table = core.read_table(b'a,b\n1,x\n# half time\n2,"two\n# no comment"\n#3,z\n')
    assert table.frame["a"].tolist() == ["1", "2", "#3"]
    assert table.frame["b"].tolist() == ["x", "two\n# no comment", "z"]
    assert core.read_table(b"#id,n\n1,2\n3,4\n").frame.columns.tolist() == ["id", "n"]
    assert core.read_table(b"#,n\n1,2\n3,4\n").frame.shape == (2, 2)


def test_dates_of_parquet_that_pandas_cannot_hold_are_named() -> None:
    for column, said in (
        (pa.array([1, 2], pa.timestamp("us", tz="Mars/Phobos")), "zone is 'Mars/Phobos'"),
        (pa.array([2**31 - 1, 0], pa.date32()), "beyond the years"),
    ):
        out = io.BytesIO()
        pq.write_table(pa.table({"since": column, "a": [1, 2]}), out)
        with pytest.raises(InputError, match=f"Those of 'since' are not: .*{said}"):
            core.read_table(out.getvalue())
