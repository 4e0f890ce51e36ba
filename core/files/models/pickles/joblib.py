"""Arrays in joblib's files: a wrapper in the pickle, and the array's bytes after it."""

from __future__ import annotations

from typing import Any

from core.errors import InputError
from core.files.models.arrays import array_of, bytes_needed, shape_of
from core.files.models.inert import InertArray, Made, named
from core.files.models.pickles.calls import dtype_of
from core.files.models.pickles.stream import Stream, damaged

_WRAPPER = "joblib.numpy_pickle.NumpyArrayWrapper"
_BEFORE_010 = ("joblib.numpy_pickle_compat.NDArrayWrapper", "joblib.numpy_pickle_compat.ZNDArrayWrapper")
_SUBCLASSES = ("numpy.ndarray", "numpy.memmap", "numpy.core.memmap.memmap", "numpy._core.memmap.memmap")


def begins_array(target: Any) -> bool:
    """Tell whether the bytes of an array follow an object whose state has just been set."""
    if not isinstance(target, Made):
        return False
    name = named(target.maker)
    if name.endswith("NDArrayWrapper") and name in (*_BEFORE_010, "joblib.numpy_pickle.NDArrayWrapper"):
        raise InputError(
            "A joblib file must hold its arrays. This one was written before joblib 0.10, which kept them in files beside it; save the model again."
        )
    return name == _WRAPPER


def raw_array(wrapper: Made, stream: Stream) -> InertArray | None:
    """Return the array that follows, or None where a pickle of its own follows.

    The latter is so for objects.
    """
    about = wrapper.attributes
    if named(about.get("subclass")) not in _SUBCLASSES:
        raise damaged("an array is of a kind of its own")
    dtype, shape = dtype_of(about.get("dtype")), shape_of(about.get("shape"))
    if dtype.hasobject:
        return None
    if about.get("numpy_array_alignment_bytes") is not None:
        stream.take(stream.number(1))
    return array_of(stream.take(bytes_needed(shape, dtype)), shape, dtype, "F" if about.get("order") == "F" else "C")
