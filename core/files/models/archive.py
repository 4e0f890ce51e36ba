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

from core.errors import InputError, LimitError, listed
from core.files.tables.limits import ModelLimits, show_bytes

SCHEMA = "schema.json"
PROTOCOLS = (1, 2)

_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"')


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
        If it is not a whole skops file.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            sizes = _member_sizes(archive, limits)
            schema = _read_schema(archive, limits)
            nodes = _nodes(schema, limits)
            _check_same_ids(nodes)
            _check_members(nodes, sizes, limits)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, KeyError, TypeError, ValueError, RuntimeError) as error:
        if isinstance(error, InputError):
            raise
        raise _not_whole(error) from error
    return schema


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
            pending.extend(current.values())
        elif isinstance(current, list):
            pending.extend(current)


def _check_same_ids(nodes: list[dict[str, Any]]) -> None:
    # What is read of an id stands wherever it is named again; of two objects one would go missing.
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


def _check_members(nodes: list[dict[str, Any]], sizes: dict[str, int], limits: ModelLimits) -> None:
    files = [node["file"] for node in nodes if "file" in node]
    missing = sorted({str(name) for name in files} - set(sizes))
    if missing:
        raise InputError(
            f"A skops file must hold every array its schema names. {listed(missing)} is missing; save or upload it again."
        )
    total = sum(sizes[name] for name in files)
    if total > limits.max_unzipped:
        raise _unzipped(total, limits)
