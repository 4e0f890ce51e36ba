import contextlib
import dataclasses
import io
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import InputError, InputTypeError, LimitError, RedressError
from core.files.guess import guess_roles
from core.files.tables.limits import Limits
from core.files.tables.read import LoadedTable, read_table, safe_for_csv

HTML = "<img src=x onerror=alert(1)>"
MARKDOWN = "![x](https://example.org/x.png) **bold**"


def csv(*lines: str, encoding: str = "utf-8") -> LoadedTable:
    return read_table("\n".join((*lines, "")).encode(encoding))


def parquet(table: Any, **options: Any) -> bytes:
    out = io.BytesIO()
    pq.write_table(table if isinstance(table, pa.Table) else pa.table(table), out, **options)
    return out.getvalue()


@pytest.fixture
def frame() -> pd.DataFrame:
    generator = np.random.default_rng(0)
    n = 300
    return pd.DataFrame(
        {
            "name": [f"Zoë {i}" for i in range(n)],
            "income": np.round(generator.normal(3000, 900, n), 2),
            "age": generator.integers(18, 80, n),
            "rate": np.where(generator.random(n) < 0.2, np.nan, np.round(generator.random(n), 3)),
            "branch": generator.choice(["north", "south", None], n),
            "granted": generator.random(n) < 0.5,
        }
    )


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "latin-1"])
@pytest.mark.parametrize(("delimiter", "decimal"), [(",", "."), (";", ","), (";", "."), ("\t", ","), ("|", ".")])
def test_the_same_table_however_it_is_written(frame: pd.DataFrame, encoding: str, delimiter: str, decimal: str) -> None:
    data = frame.to_csv(index=False, sep=delimiter, decimal=decimal).encode(encoding)
    table = read_table(data)
    pd.testing.assert_frame_equal(table.frame, frame)
    assert table.format is not None
    assert (table.format.delimiter, table.format.decimal, table.format.thousands) == (delimiter, decimal, None)
    assert table.format.bom == (encoding in ("utf-8-sig", "utf-16"))


def test_parquet_comes_back_the_same(frame: pd.DataFrame) -> None:
    frame["kind"] = pd.Categorical(["a", "b", "a"] * 100)
    frame["day"] = pd.date_range("2020-01-01", periods=300)
    out = io.BytesIO()
    frame.set_index("name").to_parquet(out, row_group_size=70)
    table = read_table(out.getvalue())
    pd.testing.assert_frame_equal(table.frame[frame.columns], frame, check_dtype=False)
    assert str(table.frame["branch"].dtype) == "str"
    assert str(table.frame["kind"].dtype) == "category"
    assert table.format is None


@pytest.mark.parametrize("mark", [".", " ", "\u00a0", "\u202f", "'"])
def test_thousands_with_decimal_comma(mark: str) -> None:
    table = csv(
        "name;income;date", f"Ann;1{mark}234{mark}567,5;01.02.2003", "Bob;12,25;11.12.2013", "Cy;1000;28.02.2003"
    )
    assert table.frame["income"].tolist() == [1234567.5, 12.25, 1000.0]
    assert table.frame["date"].tolist() == ["01.02.2003", "11.12.2013", "28.02.2003"]
    assert table.format is not None
    assert (table.format.decimal, table.format.thousands) == (",", mark)


def test_thousands_with_decimal_point() -> None:
    table = csv("name,income,places", 'Ann,"1,234.5","a, b"', 'Bob,"12,000","c"', "Cy,,d")
    np.testing.assert_array_equal(table.frame["income"], [1234.5, 12000.0, np.nan])
    assert table.frame["places"].tolist() == ["a, b", "c", "d"]


def test_grouped_whole_numbers_are_whole() -> None:
    table = csv("name,income", 'Ann,"1,234"', 'Bob,"12,000"')
    assert table.frame["income"].tolist() == [1234, 12000]
    assert pd.api.types.is_integer_dtype(table.frame["income"])
    assert "could be a decimal mark" in table.notes[0]


def test_two_groups_leave_no_doubt() -> None:
    assert csv("name,income", 'Ann,"1,234,567"', 'Bob,"12,000"').notes == ()
    table = csv("name;income", "Ann;1.234.567", "Bob;12.000")
    assert table.frame["income"].tolist() == [1234567, 12000]
    assert table.notes == ()


def test_an_ambiguous_point_is_noted() -> None:
    table = csv("name;income", "Ann;1.234", "Bob;12.000")
    assert table.frame["income"].tolist() == [1.234, 12.0]
    assert "A point is read as decimal mark in numbers such as '1.234'" in table.notes[0]
    assert csv("name;rate", "Ann;1.234", "Bob;0.5").notes == ()


def test_an_ambiguous_comma_is_noted_and_can_be_set() -> None:
    lines = b"name;income\nAnn;1,234\nBob;12,345\n"
    table = read_table(lines)
    assert table.frame["income"].tolist() == [1.234, 12.345]
    assert "could be a thousands mark" in table.notes[0]
    other = read_table(lines, decimal=".", thousands=",")
    assert other.frame["income"].tolist() == [1234, 12345]
    assert other.notes == ()


def test_everything_found_can_be_set() -> None:
    data = "a,b;c,d\n1,5;2,5\n1,5;2,5\n".encode("utf-16-le")
    table = read_table(data, delimiter=";", decimal=",", encoding="utf-16-le")
    assert table.frame.columns.tolist() == ["a,b", "c,d"]
    assert table.frame.to_numpy().tolist() == [[1.5, 2.5], [1.5, 2.5]]
    assert read_table(b"a,b\n\xe9,1\n", encoding="cp1250").frame["a"].tolist() == ["é"]


@pytest.mark.parametrize(
    ("known", "match"),
    [
        ({"delimiter": "::"}, "one character"),
        ({"decimal": ";"}, "'.' or ','"),
        ({"decimal": ",", "thousands": ","}, "differ from the decimal"),
        ({"encoding": "utf-99"}, "that Python knows"),
        ({"encoding": "ascii"}, "must be in the encoding ascii"),
        ({"delimeter": ";"}, "Did you mean 'delimiter'"),
    ],
)
def test_settings_that_cannot_be_are_refused(known: dict[str, str], match: str) -> None:
    with pytest.raises(InputError, match=match):
        read_table("a;b\nä;1\n".encode(), **known)


def test_markdown_and_html_in_names_and_cells_are_plain_data() -> None:
    table = read_table(f'{HTML},"{MARKDOWN}"\n<b>1</b>,2\n'.encode())
    assert table.frame.columns.tolist() == [HTML, MARKDOWN]
    assert table.frame[HTML].tolist() == ["<b>1</b>"]
    assert read_table(parquet({HTML: [1], MARKDOWN: ["x"]})).frame.columns.tolist() == [HTML, MARKDOWN]


@pytest.mark.parametrize("data", [b"", b"\n\n", b"\xef\xbb\xbf", "\n".encode("utf-16")])
def test_an_empty_file_is_named(data: bytes) -> None:
    with pytest.raises(InputError, match="Got an empty file"):
        read_table(data)


@pytest.mark.parametrize("data", [b"a\n1\n2\n", b"a", b"one two\nthree four\n", parquet({"a": [1, 2]})])
def test_one_column_is_refused(data: bytes) -> None:
    with pytest.raises(InputError, match=r"at least two columns\. Got one"):
        read_table(data)


@pytest.mark.parametrize(
    "data", [b"a,b\n", b"a,b", parquet({"a": pa.array([], pa.int64()), "b": pa.array([], pa.string())})]
)
def test_no_rows_are_refused(data: bytes) -> None:
    with pytest.raises(InputError, match=r"must have rows\. Got the column names 'a', 'b' and no rows"):
        read_table(data)


def test_repeated_names_are_numbered_as_pandas_does() -> None:
    for names in (["a", "b", "a"], ["a", "a", "a.1", "a"], ["a.1", "a", "a"]):
        line = ",".join(names)
        table = csv(line, ",".join("1" * len(names)))
        assert table.frame.columns.tolist() == pd.read_csv(io.StringIO(f"{line}\n")).columns.tolist()
        assert "Columns are called 'a' more than once" in table.notes[0]
    twice = pa.Table.from_arrays([pa.array([1]), pa.array([2]), pa.array([3])], names=["b", "a", "a"])
    assert read_table(parquet(twice)).frame.columns.tolist() == ["b", "a", "a.1"]


def test_unnamed_columns_get_a_name_and_a_note() -> None:
    table = csv(",a, ,column 1", "0,x,1,5", "1,y,2,6")
    assert table.frame.columns.tolist() == ["column 1_", "a", "column 3", "column 1"]
    assert table.frame["column 1_"].tolist() == [0, 1]
    assert table.notes[:1] == ("Column 1 has no name and is called 'column 1_' here.",)


def test_a_file_without_a_line_of_names_is_told() -> None:
    with pytest.raises(InputError, match=r"Got numbers only; say that it has none \(header=False\)"):
        csv("1.5,2", "3,4")
    adult = b"39, State-gov,Male,<=50K\n50, Private,Female,<=50K\n38, State-gov,Male,>50K\n"
    with pytest.raises(InputError, match=r"Got what looks like a row \('39', ' State-gov', 'Male'"):
        read_table(adult)
    for encoding in ("utf-8", "utf-16", "utf-8-sig"):
        data = adult.decode().encode(encoding)
        table = read_table(data, header=False)
        assert table.frame["column 1"].tolist() == [39, 50, 38]
        assert "The file has no line of column names" in table.notes[0]
        named = read_table(data, names=["age", "work", "sex", "income"]).frame
        assert named["income"].tolist() == ["<=50K", "<=50K", ">50K"]
    assert read_table(adult, header=True).frame.columns[0] == "39"
    assert read_table(b"a,b\n1,2\n", header=True, names=["x", "y"]).frame.columns.tolist() == ["x", "y"]
    with pytest.raises(InputError, match=r"name each of the 4 columns\. Got 1"):
        read_table(adult, names=["age"])
    assert csv("0,1,2", "3,4,5").frame.columns.tolist() == ["0", "1", "2"]


def test_mixed_types_are_noted_with_examples() -> None:
    table = csv("a,b", "1,x", "2,y", "unknown,z", "4.5,w")
    assert table.frame["a"].tolist() == ["1", "2", "unknown", "4.5"]
    (note,) = table.notes
    assert "'a' mixes numbers and text: 1 of 4 cells" in note
    assert "'unknown'" in note


def test_infinities_and_empty_columns_are_noted() -> None:
    data = b"a,b,c\n1,inf,\n2,-inf,\n"
    for table in (read_table(data), read_table(parquet({"a": [1, 2], "b": [np.inf, -np.inf], "c": pa.nulls(2)}))):
        assert any("Infinite values occur in 'b';" in note for note in table.notes)
        assert any("No row has a value in 'c';" in note for note in table.notes)


def test_both_decimal_marks_are_noted() -> None:
    table = csv("a;b", "1,5;2.5", "2,25;3.25")
    assert table.frame["a"].tolist() == [1.5, 2.25]
    assert table.frame["b"].tolist() == ["2.5", "3.25"]
    assert "numbers with a point stay text" in table.notes[0]


def test_another_encoding_is_noted() -> None:
    (note,) = csv("a,b", "Zoë,1", encoding="cp1252").notes
    assert "read as cp1252: line 2 has the byte eb, read as 'ë'" in note


def test_mixed_encodings_are_read_line_by_line_and_said() -> None:
    data = "a,b\nZoë,1\n".encode() + "Jürgen,2\n".encode("cp1252") + "Łódź,3\n".encode()
    table = read_table(data)
    assert table.frame["a"].tolist() == ["Zoë", "Jürgen", "Łódź"]
    assert "mixes encodings: 1 of 4 lines are not UTF-8" in table.notes[0]
    assert "line 3 has the byte fc, read as 'ü'" in table.notes[0]


def test_missing_text_is_missing() -> None:
    column = csv("a,b", "x,1", ",2", "NA,3").frame["a"]
    assert column.isna().tolist() == [False, True, True]


@pytest.mark.parametrize(
    ("data", "match"),
    [
        (b"a,b,c\n1,2,3\n4,5", r"last row has 2 of 3 cells"),
        ("a,b,c\n1,2,3\n4,5".encode("utf-16"), r"last row has 2 of 3 cells"),
        (b'a,b,c\n1,2,3\n4,5,"cut', "ends inside quotes"),
        (b"a,b,c\n1,2,3\n4,5,6,7\n", r"3 here\. Line 3 has 4"),
        (b"a,b\n1,2,3\n4,5,6\n", "Rows have more; name every column"),
        (b"a,b\n\x00\x01\x02,1\n", "zero bytes"),
    ],
)
def test_files_cut_off_or_uneven_are_refused(data: bytes, match: str) -> None:
    with pytest.raises(InputError, match=match):
        read_table(data)


def test_a_last_row_without_line_end_is_fine() -> None:
    assert csv("a,b", "1,2").frame.equals(read_table(b"a,b\n1,2").frame)
    assert read_table(b'a,b\n1,"two\nlines"').frame["b"].tolist() == ["two\nlines"]


@pytest.mark.parametrize("keep", [0.3, 0.8, 0.99])
def test_truncated_parquet_is_refused(frame: pd.DataFrame, keep: float) -> None:
    data = parquet(pa.Table.from_pandas(frame))
    with pytest.raises(InputError, match="Parquet table must be whole"):
        read_table(data[: int(len(data) * keep)])


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        (b"PK\x03\x04", "zip archive must be whole"),
        (b"\x1f\x8b\x08", "compressed table must be whole"),
        (b"%PDF-1.4", "ARFF or Parquet file. Got a PDF"),
        (b"\x80\x04\x95", "ARFF or Parquet file. Got a pickle"),
        (b"\xd0\xcf\x11\xe0", r"Got an old one \(.xls\)"),
    ],
)
def test_other_kinds_of_file_are_told(start: bytes, kind: str) -> None:
    with pytest.raises(InputError, match=kind):
        read_table(start + bytes(100))


def test_columns_of_lists_or_bytes_are_refused() -> None:
    with pytest.raises(InputError, match="'b' holds lists"):
        read_table(parquet({"a": [1], "b": [[1, 2]]}))
    with pytest.raises(InputError, match="'b' holds lists, records or raw bytes"):
        read_table(parquet({"a": [1], "b": [b"raw"]}))


def test_a_name_in_front_of_the_sentence_and_never_as_a_path() -> None:
    with pytest.raises(InputError, match=r"^\.\./train\.csv: A table must have"):
        read_table(b"", "../train.csv")


def test_paths_and_open_files(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("a,b\n1,2\n")
    assert read_table(path).frame.equals(read_table(str(path)).frame)
    with path.open("rb") as file:
        assert read_table(file).frame["b"].tolist() == [2]
    with pytest.raises(InputError, match="Got nothing at"):
        read_table(tmp_path / "b.csv")
    with pytest.raises(InputError, match="Got a folder at"):
        read_table(tmp_path)
    with path.open() as text, pytest.raises(InputTypeError, match="binary mode"):
        read_table(text)  # type: ignore[arg-type]
    with pytest.raises(InputTypeError, match="Got DataFrame"):
        read_table(pd.DataFrame())  # type: ignore[arg-type]


@pytest.mark.parametrize("fmt", ["csv", "parquet"])
@pytest.mark.parametrize(
    ("limits", "match"),
    [
        ({"max_bytes": 50}, "at most 50 bytes"),
        ({"max_columns": 3}, "at most 3 columns"),
        ({"max_cells": 600}, "at most 600 cells"),
    ],
)
def test_each_limit_has_its_own_sentence(frame: pd.DataFrame, fmt: str, limits: dict[str, int], match: str) -> None:
    data = frame.to_csv(index=False).encode() if fmt == "csv" else parquet(pa.Table.from_pandas(frame))
    with pytest.raises(LimitError, match=match):
        read_table(data, limits=dataclasses.replace(Limits(), **limits))


def test_exactly_the_limit_is_fine(frame: pd.DataFrame) -> None:
    limits = Limits(max_cells=frame.size, max_columns=frame.shape[1])
    assert read_table(frame.to_csv(index=False).encode(), limits=limits).frame.shape == frame.shape
    assert read_table(parquet(pa.Table.from_pandas(frame)), limits=limits).frame.shape == frame.shape


def test_a_300_mb_upload_is_refused_without_reading_it_all() -> None:
    class Upload(io.RawIOBase):
        given = 0

        def read(self, size: int = -1) -> bytes:
            self.given += min(size, 300 << 20) if size >= 0 else 300 << 20
            return b"x" * self.given

    upload = Upload()
    with pytest.raises(LimitError, match="at most 200 MB"):
        read_table(upload)  # type: ignore[arg-type]
    assert upload.given == (200 << 20) + 1


def test_a_large_file_on_disk_is_refused_by_its_size(tmp_path: Path) -> None:
    path = tmp_path / "large.csv"
    with path.open("wb") as file:
        file.truncate(300 << 20)
    with pytest.raises(LimitError, match=r"at most 200 MB\. Got 300 MB"):
        read_table(path)


@pytest.mark.parametrize("index", [[5, 3, 9, 1], [5, 5, 9, 1]])
def test_an_unnamed_index_in_parquet_names_the_records_or_is_left_out(index: list[int]) -> None:
    out = io.BytesIO()
    pd.DataFrame({"sex": ["f", "m"] * 2, "granted": [0, 0, 1, 1]}, index=index).to_parquet(out)
    table = read_table(out.getvalue())
    assert table.frame.columns.tolist() == ["sex", "granted", "column 3"]
    guess = guess_roles(table.frame)
    assert (guess.record_id, guess.exclude) == (("column 3", ()) if len(set(index)) == 4 else (None, ("column 3",)))


@pytest.mark.parametrize("name", ["client_id", "sex", None])
def test_an_index_stored_as_a_range_is_a_column_where_it_has_a_name(name: str | None) -> None:
    out, index = io.BytesIO(), pd.RangeIndex(100, 120, 5, name=name)
    pd.DataFrame({"sex": ["f", "m"] * 2, "granted": [0, 0, 1, 1]}, index=index).to_parquet(out)
    frame = read_table(out.getvalue()).frame
    if name is None:
        assert frame.columns.tolist() == ["sex", "granted"]
        return
    added = name if name != "sex" else "column 3"
    assert frame.columns.tolist() == ["sex", "granted", added]
    assert frame[added].tolist() == [100, 105, 110, 115]
    assert guess_roles(frame).record_id == added


@pytest.mark.parametrize(
    "said", [b"[]", b"{", b'{"index_columns": [{"kind": "range", "name": "a", "start": 0, "stop": 99, "step": 1}]}']
)
def test_an_index_that_is_not_as_described_is_left_alone(said: bytes) -> None:
    plain = pa.table({"sex": ["f", "m"], "granted": [0, 1]})
    frame = read_table(parquet(plain.replace_schema_metadata({b"pandas": said}))).frame
    assert frame.columns.tolist() == ["sex", "granted"]


def test_a_small_parquet_with_fifty_million_rows_is_refused_by_its_footer() -> None:
    zeros = pa.array(np.zeros(10_000_000, dtype=np.int8))
    data = parquet(pa.table({"a": zeros, "b": zeros}), compression="zstd")
    assert len(data) < 1 << 20
    with pytest.raises(LimitError, match="Got 10,000,000 rows of 2 columns"):
        read_table(data, limits=Limits(max_cells=15_000_000))


def test_a_long_text_repeated_over_many_rows_is_counted_in_full() -> None:
    codes = pa.array(np.zeros(1000, dtype=np.int32))
    repeated = pa.DictionaryArray.from_arrays(codes, pa.array(["x" * 100_000])).cast(pa.string())
    data = parquet({"a": np.arange(1000), "b": repeated})
    assert len(data) < 1 << 20
    with pytest.raises(LimitError, match=r"at most 50 MB of memory\. Got 95.5 MB"):
        read_table(data, limits=Limits(max_memory=50 << 20))
    assert read_table(data).frame["b"].str.len().unique().tolist() == [100_000]


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_give_a_table_or_a_sentence(data: bytes) -> None:
    with contextlib.suppress(RedressError):
        assert read_table(data).frame.size


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text(alphabet='ab1,;".\n\t|-é', max_size=30), min_size=1, max_size=6))
def test_any_text_gives_a_table_or_a_sentence(lines: list[str]) -> None:
    with contextlib.suppress(RedressError):
        assert csv(*lines).frame.size


def test_cells_that_start_formulas_are_made_safe() -> None:
    frame = pd.DataFrame(
        {"=name": ["=1+1", "+x", "-y", "@z", "\tt", "plain", None], "n": [-1, 2, 3, 4, 5, 6, 7]},
        index=pd.Index(["@a", "b", "c", "d", "e", "f", "g"], name="-id"),
    )
    safe = safe_for_csv(frame)
    assert safe.columns.tolist() == ["'=name", "n"]
    assert safe["'=name"].tolist()[:6] == ["'=1+1", "'+x", "'-y", "'@z", "'\tt", "plain"]
    assert pd.isna(safe["'=name"].iloc[6])
    assert safe["n"].tolist() == frame["n"].tolist()
    assert safe.index[0] == "'@a"
    assert safe.index.name == "'-id"
    assert frame.columns.tolist() == ["=name", "n"]


def test_categories_are_made_safe_too() -> None:
    frame = pd.DataFrame({"a": pd.Categorical(["=x", "y"])})
    assert safe_for_csv(frame)["a"].tolist() == ["'=x", "y"]
