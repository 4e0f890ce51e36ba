"""Looking through a skops file before anything in it is rebuilt.

Sizes, nesting, arrays, types.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.lib import format as npy

from core.errors import InputError, LimitError, listed
from core.files.models.allowed import ALLOWED, WAY_OUT
from core.files.tables.limits import ModelLimits, show_bytes

SCHEMA = "schema.json"
PROTOCOLS = (1, 2)

PICKLED = (
    b"\x80",
    *(b"\x78" + level for level in (b"\x01", b"\x5e", b"\x9c", b"\xda")),
    b"\x1f\x8b",
    b"BZh",
    b"\xfd7zXZ",
    b"\x5d\x00\x00",
    b'\x04"M\x18',
    b"ZF",
)
"""How pickle files start, and joblib's: plain, or packed by zlib, gzip, bz2, xz, lzma or lz4."""

_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"')
_READERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}


def check_archive(data: bytes, limits: ModelLimits) -> dict[str, Any]:
    """Return the schema of a skops file after checking that rebuilding it is safe and small.

    Reads no array and builds no object. O(size of the file).

    Parameters
    ----------
    data : bytes
        The file.
    limits : ModelLimits
        What it must keep.

    Returns
    -------
    dict
        `schema.json`, parsed.

    Raises
    ------
    LimitError
        If a limit is passed.
    InputError
        If it is not a whole skops file, or a type in it is not on the allow-list.
    """
    _check_kind(data)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            sizes = _member_sizes(archive, limits)
            schema = _read_schema(archive, limits)
            nodes = _nodes(schema, limits)
            _check_types(nodes)
            _check_same_ids(nodes)
            _check_arrays(archive, nodes, sizes, limits)
    except (zipfile.BadZipFile, zlib.error, EOFError, KeyError, TypeError, RuntimeError, NotImplementedError) as error:
        raise _not_whole(error) from error
    return schema


def _check_kind(data: bytes) -> None:
    if data.startswith(b"PK"):
        return
    if data.startswith(PICKLED):
        raise InputError(
            "A model must be a skops file. Got what looks like a pickle or joblib file, which is never opened here because "
            "that would run code from the file; save the model with skops.io.dump(model, 'model.skops')."
        )
    got = "an empty file" if not data else f"{show_bytes(len(data))} of something else"
    raise InputError(
        f"A model must be a skops file. Got {got}; save the model with skops.io.dump(model, 'model.skops')."
    )


def _not_whole(error: Exception) -> InputError:
    return InputError(
        f"A model must be a whole skops file. This one is cut off, damaged or not from skops ({type(error).__name__}: {error}); "
        "save or upload it again."
    )


def _member_sizes(archive: zipfile.ZipFile, limits: ModelLimits) -> dict[str, int]:
    members = archive.infolist()
    if len(members) > limits.max_members:
        raise LimitError(
            f"A skops file can hold at most {limits.max_members:,} members. Got {len(members):,}; save a smaller model."
        )
    # Reading a member stops at its declared size, so the declared sizes bound the real ones.
    total = sum(member.file_size for member in members)
    if total > limits.max_unzipped:
        raise _unzipped(total, limits)
    sizes = {member.filename: member.file_size for member in members}
    if len(sizes) < len(members):
        raise InputError("A skops file must name each member once. Got one twice; save the model again.")
    return sizes


def _unzipped(total: int, limits: ModelLimits) -> LimitError:
    return LimitError(
        f"A skops file can unzip to at most {show_bytes(limits.max_unzipped)}. Got {show_bytes(total)}; save a smaller model."
    )


def _read_schema(archive: zipfile.ZipFile, limits: ModelLimits) -> dict[str, Any]:
    if SCHEMA not in archive.namelist():
        raise InputError(
            f"A model must be a skops file. Got a zip archive without {SCHEMA}; save the model with skops.io.dump(model, 'model.skops')."
        )
    size = archive.getinfo(SCHEMA).file_size
    if size > limits.max_schema:
        raise LimitError(
            f"{SCHEMA} in a skops file can be at most {show_bytes(limits.max_schema)}. Got {show_bytes(size)}; save a smaller model."
        )
    text = archive.read(SCHEMA)
    depth = _depth(text)
    if depth > limits.max_depth:
        raise LimitError(
            f"{SCHEMA} in a skops file can nest at most {limits.max_depth} levels. Got {depth:,}; save a simpler model."
        )
    try:
        schema = json.loads(text)
    except ValueError as error:
        raise _not_whole(error) from error
    protocol = schema.get("protocol") if isinstance(schema, dict) else None
    if type(protocol) is not int or protocol not in PROTOCOLS:
        raise InputError(
            f"A skops file must be of protocol {' or '.join(map(str, PROTOCOLS))}. Got {protocol!r}; save the model with a current skops."
        )
    result: dict[str, Any] = schema
    return result


def _depth(text: bytes) -> int:
    marks = np.frombuffer(_STRING.sub(b"", text), dtype=np.uint8)
    opened = np.isin(marks, np.frombuffer(b"[{", dtype=np.uint8)).astype(np.int64)
    closed = np.isin(marks, np.frombuffer(b"]}", dtype=np.uint8)).astype(np.int64)
    return int((opened - closed).cumsum().max(initial=0))


def _nodes(schema: dict[str, Any], limits: ModelLimits) -> list[dict[str, Any]]:
    nodes = []
    for node in _walk(schema):
        nodes.append(node)
        if len(nodes) > limits.max_nodes:
            raise LimitError(
                f"A skops file can describe at most {limits.max_nodes:,} objects. Got more; save a smaller model."
            )
    return nodes


def _walk(value: Any) -> Iterator[dict[str, Any]]:
    pending = [value]
    while pending:
        current = pending.pop()
        if isinstance(current, dict):
            if "__loader__" in current:
                yield current
            _check_pool(current)
            pending.extend(current.values())
        elif isinstance(current, list):
            pending.extend(current)


def _check_pool(mapping: dict[str, Any]) -> None:
    # Rebuilding a random generator mixes a pool of this size, every word with every other.
    size = mapping.get("pool_size")
    if isinstance(size, dict) and not re.fullmatch(r"\d{1,2}", str(size.get("content"))):
        raise LimitError(
            f"A random generator's pool can hold at most 99 words. Got {size.get('content')!r}; save the model again."
        )


def _check_types(nodes: list[dict[str, Any]]) -> None:
    foreign = {}
    for node in nodes:
        name = f"{node['__module__']}.{node['__class__']}"
        if name not in ALLOWED.get(str(node["__loader__"]), ()):
            foreign[name] = WAY_OUT.get(str(node["__class__"]))
    if foreign:
        names = sorted(foreign)
        kind = str(nodes[0]["__class__"])
        if kind.endswith("Regressor"):
            raise InputError(
                f"The model must be a classifier. Got a {kind}, which predicts numbers; fit a classifier of the outcome."
            )
        way_out = next(
            (foreign[name] for name in names if foreign[name]),
            "save a model without them: scikit-learn's linear models, naive Bayes, trees, forests and gradient boosting are read",
        )
        raise InputError(
            f"A model file may contain only types on the allow-list, since rebuilding others could run code from the file. "
            f"Got {listed(names)}; {way_out}."
        )


def _check_same_ids(nodes: list[dict[str, Any]]) -> None:
    # skops rebuilds only the first node of an id and puts it in the place of the others; what was looked at must be what is built.
    seen: dict[Any, tuple[Any, ...]] = {}
    for node in nodes:
        identity = node.get("__id__")
        content = node.get("content") if node["__loader__"] == "JsonNode" else None
        what = (node["__loader__"], node["__module__"], node["__class__"], content)
        if not identity:
            continue
        if not isinstance(identity, int) or seen.setdefault(identity, what) != what:
            raise InputError(
                "A skops file must give every object an id of its own. Got one id for two; save the model again."
            )


def _check_arrays(
    archive: zipfile.ZipFile, nodes: list[dict[str, Any]], sizes: dict[str, int], limits: ModelLimits
) -> None:
    files = [node["file"] for node in nodes if "file" in node]
    missing = sorted({str(name) for name in files} - set(sizes))
    if missing:
        raise InputError(
            f"A skops file must hold every array its schema names. {listed(missing)} is missing; save or upload it again."
        )
    total = sum(sizes[name] for name in files)
    if total > limits.max_unzipped:
        raise _unzipped(total, limits)
    for name in set(files):
        with archive.open(name) as member:
            _check_array(member, name, sizes[name])


def _check_array(member: Any, name: str, size: int) -> None:
    try:
        version = npy.read_magic(member)
        shape, _, dtype = _READERS[version](member)
    except Exception as error:  # numpy parses the header as source text, so any error of a parser can come
        raise InputError(
            f"An array in a skops file must be in numpy's format. {name!r} is not; save or upload it again."
        ) from error
    declared = int(np.prod(shape, dtype=object)) * dtype.itemsize
    held = size - member.tell()
    if dtype.hasobject or (dtype.itemsize == 0 and 0 not in shape) or declared != held:
        raise InputError(
            f"An array in a skops file must hold what its header says. {name!r} says {show_bytes(declared)} and holds "
            f"{show_bytes(held)}; save or upload it again."
        )
