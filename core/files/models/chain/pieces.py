"""The parts of a model that files hold: told apart as inert trees, and built one by one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sklearn.base import TransformerMixin

from core.errors import InputError, LimitError
from core.files.models.allowed import NO_OUTCOME, canonical
from core.files.models.building.checked import open_tree
from core.files.models.inert import InertArray, Made, named, parts
from core.files.models.kinds import chain_of, class_of, is_model, kind_of
from core.files.models.read import unwrapped
from core.files.tables.limits import ModelLimits
from core.words import with_article

MOST_PARTS = 40
MOST_NAMES = 20_000
_DEEPEST = 4
_LEARNING = ("sklearn.", "imblearn.", "xgboost.", "lightgbm.", "catboost.", "category_encoders.", "feature_engine.")
_LABELS = "sklearn.preprocessing._label.LabelEncoder"
_NO_STEP = ("sklearn.preprocessing._label.LabelBinarizer",)


@dataclass(frozen=True)
class StoredPart:
    """A part as a file holds it, not yet built.

    Parameters
    ----------
    place : str
        Where it stands, to show: ``"scaler.pkl"`` or ``"'scaler' in bundle.pkl"``.
    key : str
        The name it goes by: the key in a dictionary, or the file's name without its ending.
    tree : object
        Inert; of names of columns the names.
    """

    place: str
    key: str
    tree: Any

    @property
    def kind(self) -> str:
        """The class of the part, without its module."""
        return kind_of(self.tree)


@dataclass
class Sorted:
    """The parts in all files, by what they are for.

    Parameters
    ----------
    models, steps, labels, names : list of StoredPart
        Classifiers, transformers, label encoders of no known column, lists of columns.
    columns : dict of str to StoredPart
        The encoder of each column, where a dictionary gives one for each.
    left : list of str
        What is no part of a model, in words.
    """

    models: list[StoredPart] = field(default_factory=list)
    steps: list[StoredPart] = field(default_factory=list)
    labels: list[StoredPart] = field(default_factory=list)
    names: list[StoredPart] = field(default_factory=list)
    columns: dict[str, StoredPart] = field(default_factory=dict)
    left: list[str] = field(default_factory=list)


def sort_parts(trees: Mapping[str, Any]) -> Sorted:
    """Tell the parts apart that files hold.

    Nothing is built. Cost grows with the size of the trees.

    Parameters
    ----------
    trees : mapping of str to object
        The inert tree of each file, by its name; their shape has been checked.

    Returns
    -------
    Sorted

    Raises
    ------
    LimitError
        If there are more parts than anyone saves with one model.
    """
    found = Sorted()
    for name, tree in trees.items():
        _sort(found, StoredPart(name, _stem(name), tree), name, 0)
    held = len(found.models) + len(found.steps) + len(found.labels) + len(found.names)
    if held > MOST_PARTS:
        raise LimitError(
            f"Files can hold at most {MOST_PARTS} parts of a model. Got {held:,}; add only the model and what prepares its rows."
        )
    return found


def _sort(found: Sorted, held: StoredPart, file: str, depth: int) -> None:
    tree, _ = unwrapped(held.tree)
    if isinstance(tree, dict) and depth < _DEEPEST:
        _sort_dictionary(found, held, tree, file, depth)
    elif (names := _names(tree)) is not None:
        found.names.append(StoredPart(held.place, held.key, names))
    elif isinstance(tree, list | tuple) and depth < _DEEPEST and any(isinstance(one, Made) for one in tree):
        for place, one in enumerate(tree):
            _sort(found, StoredPart(f"part {place + 1} of {held.place}", held.key, one), file, depth + 1)
    elif isinstance(tree, Made):
        _sort_object(found, held, tree)
    else:
        found.left.append(f"{held.place} ({_in_words(tree)})")


def _sort_dictionary(found: Sorted, held: StoredPart, tree: dict[Any, Any], file: str, depth: int) -> None:
    where = f"{held.key!r} in {file}" if depth else file
    fitted = {key: one for key, one in tree.items() if isinstance(one, Made) and _of_one_column(one)}
    if fitted and len(tree) > 1 and all(isinstance(one, Made) and _is_encoder(one) for one in tree.values()):
        fitted = tree
    single = len(tree) == 1 and fitted and _named_for_columns(held.key)
    if len(fitted) == len(tree) and fitted and (len(tree) > 1 or single):
        for key, one in tree.items():
            found.columns[str(key)] = StoredPart(f"{str(key)!r} in {where}", str(key), one)
        return
    if depth and not any(isinstance(one, Made | InertArray | dict | list | tuple) for one in tree.values()):
        found.left.append(f"{held.place} (a dictionary)")
        return
    for key, one in tree.items():
        _sort(found, StoredPart(f"{str(key)!r} in {where}", str(key), one), file, depth + 1)


def _named_for_columns(key: str) -> bool:
    return any(word in key.lower() for word in ("encoders", "columns", "encoding"))


def _of_one_column(one: Made) -> bool:
    """Tell whether a part encodes labels, or was fitted on a single column."""
    if canonical(named(one.maker)) == _LABELS:
        return True
    return _is_encoder(one) and one.attributes.get("n_features_in_") == 1


def _is_encoder(one: Made) -> bool:
    kind = class_of(canonical(named(one.maker)))
    return kind is not None and issubclass(kind, TransformerMixin) and kind.__name__.endswith("Encoder")


def _sort_object(found: Sorted, held: StoredPart, tree: Made) -> None:
    last = chain_of(tree)[-1]
    name = canonical(named(last.maker)) if isinstance(last, Made) else ""
    kind = class_of(name)
    if is_model(last) or name.endswith(("Classifier", "Regressor")) or name.rpartition(".")[2] in NO_OUTCOME:
        found.models.append(held)
    elif kind is not None and name == _LABELS:
        found.labels.append(held)
    elif kind is not None and issubclass(kind, TransformerMixin) and name not in _NO_STEP:
        found.steps.append(held)
    elif kind is None and _learned(tree):
        found.steps.append(held)  # which is refused by name once it is to be built
    else:
        found.left.append(f"{held.place} ({with_article(kind_of(tree))})")


def _learned(tree: Made) -> bool:
    name = canonical(named(tree.maker))
    fitted = any(key.endswith("_") and not key.startswith("_") for key in tree.attributes)
    return fitted or name.startswith(_LEARNING)


def _names(tree: Any) -> tuple[str, ...] | None:
    """Return names of columns: a list of words, an array of them, or the index of a table."""
    if isinstance(tree, Made):
        if not named(tree.maker).startswith("pandas.") or not kind_of(tree).endswith("Index"):
            return None
        arrays = [one for one in parts(tree) if isinstance(one, InertArray)]
        return _names(arrays[0]) if len(arrays) == 1 else None
    if isinstance(tree, InertArray):
        values = tree.values
        if values is None or values.ndim != 1 or values.dtype.kind not in "OU":
            return None
        tree = values.tolist()
    if not isinstance(tree, list | tuple) or not 0 < len(tree) <= MOST_NAMES:
        return None
    return tuple(str(one) for one in tree) if all(isinstance(one, str) for one in tree) else None


def _in_words(tree: Any) -> str:
    if isinstance(tree, bool | int | float | np.number):
        return f"{tree:g}"
    return with_article(kind_of(tree))


def _stem(name: str) -> str:
    return name.rpartition("/")[2].rpartition("\\")[2].partition(".")[0]


def build_part(held: StoredPart, limits: ModelLimits) -> tuple[Any, tuple[str, ...]]:
    """Build a part; errors name where it stands.

    Raises
    ------
    InputError, LimitError
        As `open_tree`.
    """
    tree, notes = unwrapped(held.tree)
    try:
        made, said = open_tree(tree, limits)
    except LimitError as error:
        raise LimitError(f"{held.place}: {error}") from error
    except InputError as error:
        raise InputError(f"{held.place}: {error}") from error
    return made, (*notes, *said)
