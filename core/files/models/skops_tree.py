"""Reading a skops file into a tree of inert parts.

`core.files.models.archive` has checked its sizes.
"""

from __future__ import annotations

import ast
import io
import json
import struct
import zipfile
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np

from core.errors import InputError
from core.files.models.arrays import array_of, objects_of, plain_dtype, record_dtype, scalar_of, shape_of
from core.files.models.inert import InertArray, Made, Name
from core.files.models.pickles.calls import keys

_MAGIC = b"\x93NUMPY"
_LONGEST_HEADER = 10_000
_NUMBERS: dict[str, Callable[[str], Any]] = {
    "builtins.int": int,
    "builtins.float": float,
    "builtins.bool": lambda text: text in ("True", "true", "1"),
}


_OF_THE_FILE = (
    *(
        LookupError,
        AttributeError,
        TypeError,
        ValueError,
        ArithmeticError,
        SyntaxError,
        RuntimeError,
        EOFError,
        OSError,
    ),
    *(struct.error, zlib.error, zipfile.BadZipFile),
)
"""What reading a file raises that is not as skops writes it; what is in it decides which."""


def read_skops(data: bytes, schema: dict[str, Any]) -> Any:
    """Return what a skops file holds, as data.

    Parameters
    ----------
    data : bytes
        The file.
    schema : dict
        What `check_archive` returned for it.

    Returns
    -------
    object
        A tree of the parts that `core.files.models.inert` lists.

    Raises
    ------
    InputError
        If it is not as skops writes it.
    """
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        try:
            return _Reader(archive).read(schema)
        except _OF_THE_FILE as error:
            if isinstance(error, InputError):
                raise
            raise InputError(
                f"A model must be a whole skops file. This one is not as skops writes it ({type(error).__name__}); save or upload it again."
            ) from error


class _Reader:
    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._read: dict[int, Any] = {}
        self._arrays: dict[str, InertArray] = {}

    def read(self, node: dict[str, Any]) -> Any:
        """Return what a node stands for, or what was read of its id.

        Calls go as deep as the schema, whose levels are limited.
        """
        identity = node.get("__id__")
        if type(identity) is int and identity in self._read:
            return self._read[identity]
        made = self._make(node)
        if type(identity) is int:
            self._read[identity] = made
        return made

    def _make(self, node: dict[str, Any]) -> Any:
        loader, name = node["__loader__"], Name(str(node["__module__"]), str(node["__class__"]))
        content = node.get("content")
        if loader == "CachedNode":
            raise LookupError("an id that nothing had before")
        if loader in ("ListNode", "TupleNode", "SetNode") and str(name) in _PLAIN:
            held = [self.read(one) for one in _list(content)]
            return set(keys(held, ())) if loader == "SetNode" else held if loader == "ListNode" else tuple(held)
        if loader == "DictNode":
            return self._mapping(node, name)
        if loader == "JsonNode":
            return _scalar(json.loads(_text(content)))
        if loader in ("TypeNode", "FunctionNode"):
            return name
        if loader == "NdArrayNode":
            return self._array(node, str(name))
        if loader in ("BytesNode", "BytearrayNode"):
            return self._archive.read(_text(node["file"]))
        return self._object(node, loader, name)

    def _object(self, node: dict[str, Any], loader: str, name: Name) -> Made:
        content: Any = node.get("content")
        if loader in ("TreeNode", "LossNode", "ReduceNode") or "__reduce__" in node:
            made = Made(name, self.read(node["__reduce__"]["args"]))
            made.state = self.read(_dict(content))
            return made
        if loader == "DTypeNode":
            empty = self.read(_dict(content)).values
            return Made(name, (empty.dtype.str,))
        if loader == "SliceNode":
            return Made(name, (content["start"], content["stop"], content["step"]))
        if loader == "OperatorFuncNode":
            return Made(name, self.read(node["attrs"]))
        if loader == "ConstructorFromReduceNode":
            return Made(name, self.read(_dict(content)))
        if loader == "MethodNode":
            return Made(Name("builtins", "getattr"), (self.read(content["obj"]), content["func"]))
        made = Made(name)
        if isinstance(content, dict):
            # Content of the loader's own: a node, or nodes by name.
            whole = "__loader__" in content
            made.state = self.read(content) if whole else {key: self._inner(one) for key, one in content.items()}
        return made

    def _inner(self, part: Any) -> Any:
        return self.read(part) if isinstance(part, dict) and "__loader__" in part else _scalar(part)

    def _mapping(self, node: dict[str, Any], name: Name) -> Any:
        kinds = [str(one) for one in self.read(node["key_types"])]
        names = [_key(kind, key) for kind, key in zip(kinds, node["content"], strict=True)]
        pairs = list(zip(keys(names, ()), (self.read(value) for value in node["content"].values()), strict=True))
        if str(name) == "builtins.dict":
            return dict(pairs)
        made = Made(name)
        made.pairs = pairs
        return made

    def _array(self, node: dict[str, Any], name: str) -> Any:
        if node["type"] == "json":
            return self._objects(node)
        file = _text(node["file"])
        if file not in self._arrays:
            self._arrays[file] = read_npy(self._archive.read(file))
        array = self._arrays[file]
        values = array.values
        if name == "numpy.ndarray" or values is None:
            return array
        return scalar_of(values.tobytes(), values.dtype)

    def _objects(self, node: dict[str, Any]) -> InertArray:
        shape, held = shape_of(self.read(node["shape"])), [self.read(one) for one in _list(node["content"])]
        if len(shape) > 1:
            # Rows are written as lists, one in another.
            for _ in shape[1:]:
                held = [one for row in held for one in (row if isinstance(row, list) else [row])]
        return objects_of(held, shape, "C")


_PLAIN = ("builtins.list", "builtins.tuple", "builtins.set")


def read_npy(data: bytes) -> InertArray:
    """Return an array in numpy's own format."""
    if not data.startswith(_MAGIC):
        raise InputError("An array in a skops file must be in numpy's format. One is not; save or upload it again.")
    wide = data[6] > 1
    start = 12 if wide else 10
    (size,) = struct.unpack("<I" if wide else "<H", data[8:start])
    if size > _LONGEST_HEADER:
        raise InputError("An array in a skops file must have a short header. One has not; save or upload it again.")
    header = ast.literal_eval(data[start : start + size].decode("latin-1").strip())
    order = "F" if header["fortran_order"] else "C"
    return array_of(data[start + size :], shape_of(header["shape"]), _dtype(header["descr"]), order)


def _dtype(described: Any) -> np.dtype[Any]:
    if not isinstance(described, list):
        return plain_dtype(described)
    types = [plain_dtype(one[1]) if not str(one[1]).startswith("|V") else None for one in described]
    names, held, offsets, at = [], [], [], 0
    for field, kind in zip(described, types, strict=True):
        if len(field) != 2 and kind is not None:
            raise InputError("An array in a skops file must have plain columns. One has not; save the model again.")
        if kind is None:  # what lies unused between columns
            at += int(field[1][2:])
            continue
        names.append(field[0])
        held.append(kind)
        offsets.append(at)
        at += kind.itemsize
    return record_dtype(names, held, offsets, at)


def _key(kind: str, key: str) -> Any:
    if kind == "builtins.str":
        return key
    if kind == "builtins.NoneType" or key == "null":
        return None
    if make := _NUMBERS.get(kind):
        return make(key)
    if kind.startswith("numpy.") and kind != "numpy.str_":
        dtype = plain_dtype(kind.removeprefix("numpy.").removesuffix("_"))
        return dtype.type(key if dtype.kind != "b" else key in ("True", "true"))
    return key


def _scalar(value: Any) -> Any:
    if value is not None and not isinstance(value, bool | int | float | str):
        # Lists and dictionaries of plain values are values all the same.
        if isinstance(value, list):
            return [_scalar(one) for one in value]
        return {key: _scalar(one) for key, one in value.items()}
    return value


def _list(content: Any) -> list[Any]:
    if not isinstance(content, list):
        raise TypeError("no list")
    return content


def _dict(content: Any) -> dict[str, Any]:
    if not isinstance(content, dict):
        raise TypeError("no node")
    return content


def _text(content: Any) -> str:
    if not isinstance(content, str):
        raise TypeError("no text")
    return content
