"""Reading a model file of any kind into a tree of inert parts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from core.errors import InputError, LimitError
from core.files.models.archive import check_archive
from core.files.models.boosters.tell import read_booster
from core.files.models.inert import Made, named, parts
from core.files.models.pickles.read import read_pickle
from core.files.models.skops_tree import read_skops
from core.files.tables.limits import ModelLimits, show_bytes

_PACKED = (
    b"\x78\x01",
    b"\x78\x5e",
    b"\x78\x9c",
    b"\x78\xda",
    b"\x1f\x8b",
    b"BZh",
    b"\xfd7zXZ",
    b"\x5d\x00\x00",
    b'\x04"M\x18',
    b"ZF",
)
_SEARCHES = "sklearn.model_selection._search"


@dataclass(frozen=True)
class Found:
    """The contents of a file, inert.

    Parameters
    ----------
    form : str
        ``"skops"``, ``"pickle"`` or a library's own format; joblib's files are pickles.
    tree : object
    """

    form: str
    tree: Any


def read_tree(data: bytes, limits: ModelLimits) -> Found:
    """Return what a skops, pickle or joblib file holds, or one of a boosting library, as data.

    Raises
    ------
    LimitError
        If a limit is passed.
    InputError
        If it is no such file, or damaged.
    """
    if data.startswith(b"PK"):
        return Found("skops", read_skops(data, check_archive(data, limits)))
    if (booster := read_booster(data)) is not None:
        return Found(*booster)
    try:
        return Found("pickle", read_pickle(data, limits=limits))
    except LimitError:
        raise
    except InputError as error:
        if data.startswith((b"\x80", *_PACKED)):
            raise
        got = "an empty file" if not data else f"{show_bytes(len(data))} of something else"
        raise InputError(
            f"A model must be a skops, pickle or joblib file. Got {got}; save the model with skops.io.dump(model, 'model.skops') or joblib.dump, "
            "or a booster in its library's own format."
        ) from error


def unwrapped(tree: Any) -> tuple[Any, tuple[str, ...]]:
    """Return the model that a search found best in the search's place, and a sentence on it."""
    if isinstance(tree, Made) and named(tree.maker).startswith(_SEARCHES):
        best = tree.attributes.get("best_estimator_")
        if isinstance(best, Made):
            kind = named(tree.maker).rpartition(".")[2]
            return best, (f"The file holds a {kind}: the model it found best, its best_estimator_, is opened.",)
    return tree, ()


def sklearn_versions(tree: Any) -> tuple[str, ...]:
    """Return the versions of scikit-learn that parts of a tree were made with."""
    held = (part.attributes.get("_sklearn_version") for part in parts(tree) if isinstance(part, Made))
    return tuple(sorted({one for one in held if isinstance(one, str)}))
