"""Cases as folders: case.toml, the tables as Parquet, the model as skops.

A folder written by hand needs only this case.toml, with tables in CSV or Parquet::

    [roles]
    target = "granted"
    pos_label = 1
    favorable_label = 1
    sensitive_features = ["sex", "age"]
    bins = {age = [25, 40]}

    [tables]
    train = "train.parquet"
    test = "test.csv"
    confirm = "confirm.csv"     # optional: rows kept for confirming; without it test is split

    [model]
    file = "model.skops"
    threshold = 0.4             # or {rate = 0.02}: the top 2% of scores

    [split]
    seed = 0                    # or off = true: everything explores

A saved case adds which test rows confirm, which training rows are retained, labels and weights that were edited, what the model's trees
drew at random, and the SHA-256 of every file, so that files of two versions are never taken for one case::

    [state]
    kind = "forest"
    file = "state.npz"

    [digests]
    "train.parquet" = "9f86d081..."
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from core.case.arguments import check_path
from core.case.case import Case
from core.case.edits import compare_with_table
from core.case.looks import Look
from core.case.prepared import SavedState
from core.case.roles import AtRate, Roles
from core.errors import InputError, InputTypeError, listed, nearest
from core.files.cases.placing import put_in_place
from core.files.cases.samples import case_folder
from core.files.cases.saved_state import arrays_as_bytes, read_arrays
from core.files.cases.settings import FILE, FORMAT, check_digests, file_inside, read_at_rest, settings_of
from core.files.cases.toml_text import to_toml
from core.files.models.models import checked_skops, load_model
from core.files.tables.read import read_table
from core.files.writing import not_written

STATE = "state.npz"
LABELS, WEIGHTS = "edited_labels.npy", "edited_weights.npy"
FILES = (
    "train.parquet",
    "test.parquet",
    "model.skops",
    "confirm_rows.npy",
    "retained_rows.npy",
    STATE,
    LABELS,
    WEIGHTS,
)

_DTYPES = (
    "category",
    "boolean",
    "string",
    *(f"{kind}{bits}" for kind in ("Int", "UInt") for bits in (8, 16, 32, 64)),
    "Float32",
    "Float64",
)


def load_case(folder: str | Path) -> Case:
    """Read a case from a folder, or a sample case by its name.

    Parameters
    ----------
    folder : str or Path
        Holds case.toml and the files it names. Where the working directory has nothing of that name, a sample: "credit", "fraud",
        "hospital", "null" or "trap".

    Returns
    -------
    Case

    Raises
    ------
    InputError
        If the folder, case.toml or a file it names is missing, damaged, another than was saved, or does not fit the others.

    Examples
    --------
    >>> load_case("credit")
    Case(...)
    >>> load_case("no/such_folder")
    Traceback (most recent call last):
        ...
    core.errors.InputError: A case must be a folder with case.toml. Got nothing at 'no/such_folder'; check the path.
    """
    check_path(folder, "A case")
    place = case_folder(folder)
    return read_at_rest(place, lambda: _read(place))


def _read(folder: Path) -> Case:
    settings = settings_of(folder)
    check_digests(folder, settings["digests"])
    tables = settings["tables"]
    train = _dtypes_back(_table(folder, tables, "train"), tables.get("dtypes_train", {}))
    test = _dtypes_back(_table(folder, tables, "test"), tables.get("dtypes_test", {}))
    confirm = _table(folder, tables, "confirm") if "confirm" in tables else None
    split, kept = settings["split"], settings["retained"]
    retained = _mask(folder, kept["rows"], "retained.rows", len(train)) if "rows" in kept else None
    case = Case(
        load_model(file_inside(folder, settings["model"].get("file"), "model.file")),
        train,
        test,
        _roles(settings["roles"]),
        _threshold(settings["model"].get("threshold")),
        confirm=not (split.get("off", False) or "confirm_rows" in split),
        seed=_seed(split),
        test_confirm=confirm,
        retained=retained,
    )
    if "confirm_rows" in split:
        rows = _mask(folder, split["confirm_rows"], "split.confirm_rows", len(case.test))
        case = case.with_confirm_rows(rows, split.get("seed"))
    case = _edits_back(case.with_looks(_looks(settings["confirm"])), folder, settings["edited"])
    return case.keeping(_state(folder, settings["state"])) if settings["state"] else case


def save_case(case: Case, folder: str | Path) -> Path:
    """Write a case to a folder from which `load_case` brings it back identical.

    Other files in the folder stay.

    Each file is written aside, made safe on the disk and then put in place: whenever that is stopped, by a loss of power, too, the folder
    holds the old case or the new one. Those who save to one folder take turns. Both
    tables are kept whole, removed records included, so that a removal can be undone. Of what an unlearner carries along only that is
    kept which cannot be prepared again: the random draws of a forest's trees with the weights of the retained records, in `state.npz`.

    Parameters
    ----------
    case : Case
        What to write.
    folder : str or Path
        Made if it does not exist.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    InputError
        If the model holds a type that a skops file may not, or a column mixes kinds of values.
    StorageError
        If the disk is full or the place may not be written; what was there is as it was.
    """
    check_path(folder, "A folder for the case")
    case.check_unchanged()
    folder = Path(folder)
    try:
        if folder.exists() and not folder.is_dir():
            raise InputError(f"A case must be saved to a folder. Got the file {str(folder)!r}; choose another name.")
        files, text = _written(case)
        put_in_place(files, folder, FILE, text, FILES)
    except OSError as error:
        raise not_written("A case", folder, error) from error
    return folder


def files_of_case(case: Case) -> dict[str, bytes]:
    """Return the files of a saved case by name, as `save_case` writes them."""
    files, text = _written(case)
    return {**files, FILE: text("").encode()}


def _written(case: Case) -> tuple[dict[str, bytes], Callable[[str], str]]:
    """Return the files of a case by name, and a function that gives its case.toml.

    The names in that start with the text it is called with.
    """
    kept = case.prepared.to_keep(case)
    files = {"model.skops": checked_skops(case.model)}
    dtypes = {}
    for part, table in (("train", case.train), ("test", case.test)):
        files[f"{part}.parquet"], dtypes[part] = _table_as_bytes(table, part)
    files["confirm_rows.npy"] = _array_as_bytes(case.confirm_mask)
    files["retained_rows.npy"] = _array_as_bytes(case.retained)
    if kept is not None:
        files[STATE] = arrays_as_bytes(kept.values)
    if case.edits is not None:
        files[LABELS] = _array_as_bytes(case.edits.train_codes.astype(np.int64))
        if case.edits.train_weight is not None:
            files[WEIGHTS] = _array_as_bytes(case.edits.train_weight)
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    return files, lambda prefix: _text(case, dtypes, kept, digests, prefix)


def _array_as_bytes(values: npt.NDArray[Any]) -> bytes:
    written = io.BytesIO()
    np.save(written, values, allow_pickle=False)
    return written.getvalue()


def _text(
    case: Case, dtypes: dict[str, dict[str, str]], kept: SavedState | None, digests: dict[str, str], prefix: str
) -> str:
    """Return what case.toml says of a case; names of files start with `prefix`."""
    threshold = {"rate": case.threshold.rate} if isinstance(case.threshold, AtRate) else case.threshold
    sections: dict[str, dict[str, Any]] = {
        "case": {"format": FORMAT},
        "roles": case.roles.to_dict(),
        "tables": {
            "train": f"{prefix}train.parquet",
            "test": f"{prefix}test.parquet",
            **{f"dtypes_{part}": names for part, names in dtypes.items() if names},
        },
        "model": {"file": f"{prefix}model.skops", "threshold": threshold},
        "split": {"seed": case.split_seed, "confirm_rows": f"{prefix}confirm_rows.npy"},
        "retained": {"rows": f"{prefix}retained_rows.npy"},
    }
    if kept is not None:
        sections["state"] = {"kind": kept.kind, "file": f"{prefix}{STATE}"}
    if case.edits is not None:
        weights = {} if case.edits.train_weight is None else {"weights": f"{prefix}{WEIGHTS}"}
        sections["edited"] = {"labels": f"{prefix}{LABELS}", **weights}
    if len(case.looks):
        sections["confirm"] = {
            "looked_at": [look.at for look in case.looks.entries],
            "looked_for": [look.what for look in case.looks.entries],
        }
    sections["digests"] = {f"{prefix}{name}": digest for name, digest in digests.items()}
    return to_toml(sections)


def _edits_back(case: Case, folder: Path, names: dict[str, Any]) -> Case:
    if not names:
        return case
    codes = _array(folder, names.get("labels"), "edited.labels", len(case.train), np.int64, "class")
    if len(codes) and not 0 <= codes.min() <= codes.max() < len(case.classes):
        raise InputError(f"edited.labels in {FILE} must hold classes of the model. It does not; restore the file.")
    weight = case.train_weight
    if "weights" in names:
        weight = _array(folder, names["weights"], "edited.weights", len(case.train), np.float64, "weight")
        if not np.isfinite(weight).all() or (weight < 0).any():
            raise InputError(
                f"edited.weights in {FILE} must be finite and not negative. They are not; restore the file."
            )
    edits = compare_with_table(codes.astype(np.intp), weight, case.train_codes, case.train_weight)
    return case.with_edits(case.model, edits)


def _table_as_bytes(table: pd.DataFrame, part: str) -> tuple[bytes, dict[str, str]]:
    """Return a table as Parquet, and the types of columns that reading it would not give."""
    odd = [column for column in table.columns if not isinstance(column, str)]
    if odd:
        raise InputTypeError(f"Column names must be text to be saved. The {part} table has {listed(odd)}; rename them.")
    written = io.BytesIO()
    try:
        table.to_parquet(written, index=False, compression="zstd")
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise InputError(
            f"Every column must hold one kind of value to be saved. The {part} table does not ({error}); convert it."
        ) from error
    content = written.getvalue()
    back = read_table(content).frame
    types = {
        column: ("none" if table[column].map(lambda value: value is None).any() else "object")
        if table[column].dtype == object
        else str(table[column].dtype)
        for column in table.columns
        if table[column].dtype != back[column].dtype
    }
    return content, types


def _dtypes_back(table: pd.DataFrame, names: dict[str, str]) -> pd.DataFrame:
    for column, name in names.items():
        if column not in table.columns:
            raise InputError(
                f"{FILE} must name columns of the tables. It gives a type for {column!r}; remove it.{nearest(column, table.columns)}"
            )
        values = table[column]
        if name in ("object", "none"):
            values = values.astype(object)
            table[column] = values.where(values.notna(), None) if name == "none" else values
        elif name in _DTYPES:
            table[column] = values.astype(name)  # type: ignore[call-overload]
        else:
            raise InputError(
                f"{FILE} must give a column type it knows. Got {name!r} for {column!r}; remove it.{nearest(name, _DTYPES)}"
            )
    return table


def _roles(values: dict[str, Any]) -> Roles:
    needed = ("target", "pos_label", "favorable_label", "sensitive_features")
    missing = [key for key in needed if key not in values]
    if missing:
        raise InputError(f"[roles] in {FILE} must give {listed(needed)}. It lacks {listed(missing)}; add it.")
    return Roles(**values)


def _threshold(value: Any) -> float | AtRate | None:
    if isinstance(value, dict):
        if set(value) != {"rate"}:
            raise InputError(f"A threshold in {FILE} must be a number or {{rate = share}}. Got {value!r}; correct it.")
        return AtRate(value["rate"])
    threshold: float | None = value
    return threshold


def _seed(split: dict[str, Any]) -> int | None:
    seed = split.get("seed")
    if seed is None:
        return None
    if type(seed) is not int or seed < 0:
        raise InputError(f"The seed in {FILE} must be a whole number, 0 or more. Got {seed!r}; correct it.")
    return seed


def _looks(values: dict[str, Any]) -> list[Look]:
    when, what = values.get("looked_at", []), values.get("looked_for", [])
    texts = all(isinstance(one, list) and all(isinstance(text, str) for text in one) for one in (when, what))
    if not texts or len(when) != len(what):
        raise InputError(
            f"[confirm] in {FILE} must give looked_at and looked_for as texts, one of each for a look. It does not; restore it."
        )
    return [Look(*look) for look in zip(when, what, strict=True)]


def _table(folder: Path, names: dict[str, Any], part: str) -> pd.DataFrame:
    return read_table(file_inside(folder, names.get(part), f"tables.{part}"), part).frame


def _state(folder: Path, values: dict[str, Any]) -> SavedState:
    kind = values.get("kind")
    if not isinstance(kind, str):
        raise InputError(
            f"state.kind in {FILE} must be a name. Got {kind!r}; restore it, or remove the section [state]."
        )
    key = f"state.file in {FILE}"
    return SavedState(kind, read_arrays(file_inside(folder, values.get("file"), "state.file"), key))


def _mask(folder: Path, name: Any, key: str, n: int) -> npt.NDArray[np.bool_]:
    return _array(folder, name, key, n, np.bool_, "truth value")


def _array(folder: Path, name: Any, key: str, n: int, dtype: type[np.generic], what: str) -> npt.NDArray[Any]:
    path = file_inside(folder, name, key)
    try:
        values = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise InputError(
            f"{key} in {FILE} must name an array file. {name!r} is missing or damaged ({error}); restore it."
        ) from error
    if not isinstance(values, np.ndarray) or values.dtype != dtype or values.shape != (n,):
        raise InputError(f"{key} in {FILE} must hold one {what} per row, {n:,} here. {name!r} does not; restore it.")
    return values
