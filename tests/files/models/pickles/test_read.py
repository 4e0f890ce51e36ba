"""Files are compared with what unpickling them gives: these are the tests' own, made here."""

import gzip
import io
import os
import pickle
import zlib
from collections import OrderedDict
from contextlib import suppress
from dataclasses import replace
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from core.errors import InputError, LimitError
from core.files.models.inert import InertArray, Made, Name, check_shape, parts
from core.files.models.pickles.read import read_pickle
from core.files.tables.limits import ModelLimits

PROTOCOLS = range(6)
RECORDS = np.array([(1, 2.5, 3), (4, 5.5, 6)], dtype=[("left", "<i8"), ("value", "<f8"), ("flag", "u1")])
ALIGNED = np.zeros(3, dtype=np.dtype([("flag", "u1"), ("value", "<f8")], align=True))


def objects(*items: Any) -> Any:
    array = np.empty(len(items), dtype=object)
    array[:] = items
    return array


ARRAYS = [
    np.arange(6.0).reshape(2, 3),
    np.asfortranarray(np.arange(12).reshape(3, 4)),
    np.arange(24, dtype=np.float32).reshape(2, 3, 4)[:, ::2],
    np.array([True, False]),
    np.array(["ab", "c"]),
    np.array([b"ab", b"c"]),
    np.array(2.5),
    np.empty((0, 3)),
    np.arange(3, dtype=">i4"),
    np.arange(3, dtype=np.uint8),
    objects("a", None, 2.5, ("x", 1)),
    objects("a", "b", "c", "d").reshape(2, 2),
    RECORDS,
    ALIGNED,
]
PLAIN = [
    None, True, False, 0, -1, 255, 65_536, -(2**31), 2**40, -(2**200), 1.5, float("inf"), "", "ä\n\\\U0001f600", "\ud800", b"", b"a\xff" * 200,
    bytearray(b"abc"), [], [1, [2, "a"]], (), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4), {}, {"a": 1, 2: "b", (1, "x"): None}, set(), {1, "a"}, frozenset({2}),
    np.float64(1.25), np.int8(-3), np.bool_(True), np.str_("word"), {np.int64(0): 1.0},
]  # fmt: skip


def plain(part: Any) -> Any:
    """Return the value that a tree of plain parts stands for."""
    if isinstance(part, InertArray):
        assert part.values is not None
        return part.values
    if isinstance(part, list | tuple | set | frozenset):
        return type(part)(map(plain, part))
    return {key: plain(value) for key, value in part.items()} if isinstance(part, dict) else part


def same(one: Any, other: Any) -> bool:
    if isinstance(one, np.ndarray):
        # numpy turns the bytes of some arrays around, and not of others.
        return (
            one.dtype.newbyteorder("=") == other.dtype.newbyteorder("=")
            and one.shape == other.shape
            and one.tolist() == other.tolist()
        )
    if isinstance(one, list | tuple):
        return type(one) is type(other) and len(one) == len(other) and all(map(same, one, other))
    return type(one) is type(other) and (one == other) and str(one) == str(other)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_plain_values_and_arrays_come_out_as_unpickling_gives_them(protocol: int) -> None:
    for value in [*PLAIN, *ARRAYS, PLAIN, ARRAYS]:
        read = plain(read_pickle(pickle.dumps(value, protocol)))
        assert (
            same(read, bytes(value) if isinstance(value, bytearray) else pickle.loads(pickle.dumps(value, protocol)))
            or value is PLAIN
        )


@pytest.mark.parametrize("compress", [0, ("zlib", 3), ("gzip", 3), ("bz2", 3), ("xz", 3), ("lzma", 3)], ids=str)
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_arrays_in_joblib_files_come_out_as_joblib_gives_them(protocol: int, compress: Any) -> None:
    # An object array's pickle of its own stands among others, and what follows it is read on.
    out = io.BytesIO()
    joblib.dump({"arrays": ARRAYS, "end": "here"}, out, compress=compress, protocol=protocol)
    read = plain(read_pickle(out.getvalue()))
    assert same(read["arrays"], ARRAYS)
    assert read["end"] == "here"


def test_arrays_of_older_joblib_have_no_padding() -> None:
    out = io.BytesIO()
    wrapper = joblib.numpy_pickle.NumpyArrayWrapper(np.ndarray, (3,), "C", np.dtype("f8"))
    del wrapper.numpy_array_alignment_bytes
    pickler = pickle._Pickler(out, 3)  # type: ignore[attr-defined]
    pickler.save(wrapper)
    data = b"\x80\x03" + out.getvalue() + np.arange(3.0).tobytes() + b"."
    assert plain(read_pickle(data)).tolist() == [0.0, 1.0, 2.0]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(st.text() | st.integers(), inner),
)


@given(VALUES, st.sampled_from(PROTOCOLS))
@settings(max_examples=150, deadline=None)
def test_any_plain_value_comes_out_as_it_went_in(value: Any, protocol: int) -> None:
    assert read_pickle(pickle.dumps(value, protocol)) == value


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_objects_stay_stand_ins_with_their_state(protocol: int) -> None:
    model = LogisticRegression(C=2.5).fit([[0.0], [1.0]], [0, 1])
    tree = read_pickle(pickle.dumps({"model": model, "again": model}, protocol))
    assert tree["model"] is tree["again"]
    made = tree["model"]
    assert isinstance(made, Made)
    assert made.maker == Name("sklearn.linear_model._logistic", "LogisticRegression")
    assert made.attributes["C"] == 2.5
    assert same(plain(made.attributes["coef_"]), model.coef_)


def test_ordered_dictionaries_and_unknown_objects_are_stand_ins() -> None:
    made = read_pickle(pickle.dumps(OrderedDict(a=1)))
    assert str(made.maker) == "collections.OrderedDict"
    assert made.pairs == [("a", 1)]
    frame = read_pickle(pickle.dumps(pd.DataFrame({"a": [1.0]})))
    assert any(str(part.maker).endswith(".DataFrame") for part in parts(frame) if isinstance(part, Made))


# Hostile files


class Runs:
    def __init__(self, maker: Any, *args: Any) -> None:
        self.call = maker, args

    def __reduce__(self) -> Any:
        return self.call


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_calls_are_kept_as_names(protocol: int, tmp_path: Any) -> None:
    canary = tmp_path / "canary"
    attacks = [
        Runs(os.system, f"touch {canary}"),
        Runs(eval, f"open({str(canary)!r}, 'w')"),
        Runs(getattr, Runs(__import__, "os"), "system"),
        {"deep": [Runs(exec, f"open({str(canary)!r}, 'w')")]},
    ]
    for attack in attacks:
        tree = read_pickle(pickle.dumps(attack, protocol))
        assert any(isinstance(part, Made) for part in parts(tree))
    assert not canary.exists()


ARRAY = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\nt\x8c\x01btR(I1\n("
FAR = (2**60).to_bytes(8, "little")
HOSTILE = {
    "persistent id": (b"Pabc\n.", "persistent ids"),
    "persistent object": (b"NQ.", "persistent ids"),
    "extension": (b"\x82\x01.", "extension codes"),
    "buffer": (b"\x97.", "buffers kept outside"),
    "unknown instruction": (b"\xff.", "is no instruction"),
    "protocol": (b"\x80\x09N.", "protocol 9"),
    "empty": (b"", "0 are left"),
    "no end": (b"N", "0 are left"),
    "no stack": (b"0.", "fits nothing"),
    "no mark": (b"e.", "fits nothing"),
    "no memo": (b"h\x05.", "fits nothing"),
    "bytes": (b"\x8e" + FAR + b".", "declares"),
    "words": (b"\x8d" + FAR + b".", "declares"),
    "frame": (b"\x95" + FAR + b".", "a frame is longer"),
    "whole number": (b"\x8b\xff\xff\xff\x7f.", "declares"),
    "digits": (b"I" + b"9" * 100_000 + b"\n.", "100,000 digits"),
    "long name": (b"c" + b"a" * 5000 + b"\nb\n.", "5,000 bytes long"),
    "name of numbers": (b"NN\x93.", "no proper name"),
    "list as key": (b"}]Ns.", "no plain value"),
    "deep key": (b"}" + b")" + b"\x85" * 1000 + b"Ns.", "no plain value"),
    "key without value": (b"(Nd.", "without a value"),
    "keys of numbers": (b"}(" + b"".join(b"J" + i.to_bytes(4, "little") + b"N" for i in range(10_001)) + b"u.", "not words"),
    "instructions": (b"N0" * 3_000_000 + b"N.", "5,000,000 instructions"),
    "objects": (b"](" + b"]" * 1_100_000 + b"e.", "1,000,000 objects"),
    "shape": (ARRAY + b"\x8a\x05\0\0\0\x80\0tcnumpy\nfloat64\nI00\nC\x04abcdtb.", "holds 4 bytes"),
    "types in types": (
        ARRAY + b"I1\ntcnumpy\ndtype\n(X\x60\xea\0\0" + b"i4," * 20_000 + b"tRI00\nC\x04abcdtb.",
        "numbers, words or objects"),
    "type in itself": (
        ARRAY + b"I1\ntcnumpy\ndtype\n(\x8c\x02V8tR\x94(I3\n\x8c\x01|N(\x8c\x01at}\x8c\x01a(h\x00I0\ntsI8\nI1\nI0\ntbI00\nC\x04abcdtb.",
        "type within a type|another kind|of type",
    ),
    "wide type": (ARRAY + b"I1\ntN" + b"2\x86" * 900 + b"I00\nC\x04abcdtb.", "an array has no type"),
    "lz4": (b'\x04"M\x18' + b"abc", "Got lz4"),
    "zlib": (b"\x78\x9cabc", "be unpacked|cut off"),
    "gzip": (b"\x1f\x8babc", "be unpacked|cut off"),
    "lzma": (b"\x5d\x00\x00abc", "be unpacked|cut off"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_are_refused_in_a_sentence(name: str) -> None:
    data, why = HOSTILE[name]
    with pytest.raises(InputError, match=why):
        read_pickle(data)


def test_bombs_unpack_to_a_limit() -> None:
    bomb = zlib.compress(bytes(20 << 20))
    assert len(bomb) < 1 << 15
    with pytest.raises(LimitError, match="unpack to at most 10 MB"):
        read_pickle(bomb, limits=replace(ModelLimits(), max_unzipped=10 << 20))
    with pytest.raises(InputError, match="more than 16 pieces"):
        read_pickle(gzip.compress(b"N.") * 20)


def test_bytes_spelled_as_text_again_and_again_are_counted() -> None:
    word = b"X" + (1 << 20).to_bytes(4, "little") + b"a" * (1 << 20) + b"q\x00"
    call = b"c_codecs\nencode\n(h\x00X\x06\x00\x00\x00latin1tR"
    with pytest.raises(LimitError, match="unpack to at most"):
        read_pickle(b"](" + word + call * 600 + b"e.")


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"](N" + b"2\x86" * 900 + b"e.", "shared ones counted"),
        (b"](N" + b"2\x86" * 90 + b"\x94)Re.", "shared ones counted"),
        (b"]\x94h\x00a.", "that do not contain themselves"),
        (b"cos\nsystem\n)\x81\x94h\x00b.", "that do not contain themselves"),
        (b"]" * 100_000 + b"a" * 99_999 + b".", "nest at most 100 levels"),
    ],
    ids=["wide", "wide call", "list in itself", "object in itself", "deep list"],
)  # fmt: skip
def test_nested_references_are_measured_without_following_each(data: bytes, why: str) -> None:
    tree = read_pickle(data)
    with pytest.raises(InputError, match=why):
        check_shape(tree, ModelLimits())


def test_mutated_files_give_a_tree_or_a_sentence() -> None:
    model = LogisticRegression().fit(pd.DataFrame({"a": [0.0, 1.0], "b": [1.0, 0.0]}), ["x", "y"])
    out = io.BytesIO()
    joblib.dump(model, out)
    random = np.random.default_rng(0)
    for whole in (pickle.dumps(model, 2), pickle.dumps(model, 5), out.getvalue()):
        for _ in range(200):
            data = bytearray(whole)
            for place in random.integers(0, len(data), 3):
                data[place] = random.integers(0, 256)
            with suppress(InputError):
                check_shape(read_pickle(bytes(data[: random.integers(1, len(data) + 1)])), ModelLimits())
