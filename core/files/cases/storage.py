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

A saved case adds which test rows confirm, which training rows are retained, labels and weights that were edited, and what the
model's trees drew at random::

    [state]
    kind = "forest"
    file = "state.npz"
"""

from __future__ import annotations

import tempfile
import tomllib
from dataclasses import fields
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
from core.files.cases.saved_state import read_arrays, write_arrays
from core.files.cases.toml_text import to_toml
from core.files.models.models import load_model, save_model
from core.files.tables.read import read_table

FORMAT = 1
FILE = "case.toml"
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

_KEYS = {
    "case": ("format",),
    "roles": tuple(field.name for field in fields(Roles)),
    "tables": ("train", "test", "confirm", "dtypes_train", "dtypes_test"),
    "model": ("file", "threshold"),
    "split": ("seed", "off", "confirm_rows"),
    "retained": ("rows",),
    "state": ("kind", "file"),
    "edited": ("labels", "weights"),
    "confirm": ("looked_at", "looked_for"),
}
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
        "null" or "trap".

    Returns
    -------
    Case

    Raises
    ------
    InputError
        If the folder, case.toml or a file it names is missing, damaged or does not fit the others.

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
    folder = case_folder(folder)
    settings = settings_of(folder)
    tables = settings["tables"]
    train = _dtypes_back(_table(folder, tables, "train"), tables.get("dtypes_train", {}))
    test = _dtypes_back(_table(folder, tables, "test"), tables.get("dtypes_test", {}))
    confirm = _table(folder, tables, "confirm") if "confirm" in tables else None
    split, kept = settings["split"], settings["retained"]
    retained = _mask(folder, kept["rows"], "retained.rows", len(train)) if "rows" in kept else None
    case = Case(
        load_model(_inside(folder, settings["model"].get("file"), "model.file")),
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

    Each file is written aside and then put in place: whenever that is stopped, the folder holds the old case or the new one. Both
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
    """
    check_path(folder, "A folder for the case")
    case.check_unchanged()
    folder = Path(folder)
    if folder.exists() and not folder.is_dir():
        raise InputError(f"A case must be saved to a folder. Got the file {str(folder)!r}; choose another name.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"A case must be saved where a folder can be made. Got {str(folder)!r} ({error.strerror}); check the path."
        ) from error
    kept = case.prepared.to_keep(case)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".saving-") as name:
        aside = Path(name)
        save_model(case.model, aside / "model.skops")
        dtypes = {
            part: _write_table(table, aside / f"{part}.parquet", part)
            for part, table in (("train", case.train), ("test", case.test))
        }
        np.save(aside / "confirm_rows.npy", case.confirm_mask, allow_pickle=False)
        np.save(aside / "retained_rows.npy", case.retained, allow_pickle=False)
        if kept is not None:
            write_arrays(kept.values, aside / STATE)
        if case.edits is not None:
            np.save(aside / LABELS, case.edits.train_codes.astype(np.int64), allow_pickle=False)
            if case.edits.train_weight is not None:
                np.save(aside / WEIGHTS, case.edits.train_weight, allow_pickle=False)
        put_in_place(aside, folder, FILE, lambda prefix: _text(case, dtypes, kept, prefix), FILES)
    return folder


def _text(case: Case, dtypes: dict[str, dict[str, str]], kept: SavedState | None, prefix: str) -> str:
    """Return what case.toml says of a case; names of files start with `prefix`."""
    threshold = {"rate": case.threshold.rate} if isinstance(case.threshold, AtRate) else case.threshold
    sections = {
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


def _write_table(table: pd.DataFrame, path: Path, part: str) -> dict[str, str]:
    """Write a table and return the types of columns that reading it would not give."""
    odd = [column for column in table.columns if not isinstance(column, str)]
    if odd:
        raise InputTypeError(f"Column names must be text to be saved. The {part} table has {listed(odd)}; rename them.")
    try:
        table.to_parquet(path, index=False, compression="zstd")
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise InputError(
            f"Every column must hold one kind of value to be saved. The {part} table does not ({error}); convert it."
        ) from error
    back = read_table(path).frame
    return {
        column: ("none" if table[column].map(lambda value: value is None).any() else "object")
        if table[column].dtype == object
        else str(table[column].dtype)
        for column in table.columns
        if table[column].dtype != back[column].dtype
    }


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


def settings_of(folder: Path) -> dict[str, Any]:
    """Return what case.toml in a folder says, by section."""
    path = folder / FILE
    if not path.is_file():
        got = f"a folder without it at {str(folder)!r}" if folder.is_dir() else f"nothing at {str(folder)!r}"
        got = f"a file at {str(folder)!r}" if folder.is_file() else got
        raise InputError(f"A case must be a folder with {FILE}. Got {got}; check the path.")
    try:
        settings = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{FILE} must be valid TOML. It is not ({error}); correct it.") from error
    for section, values in settings.items():
        if section not in _KEYS or not isinstance(values, dict):
            raise InputError(
                f"{FILE} may have the sections {listed(_KEYS, most=9)}. Got {section!r}.{nearest(section, _KEYS)}"
            )
        for key in values:
            if key not in _KEYS[section]:
                raise InputError(
                    f"[{section}] in {FILE} may have {listed(_KEYS[section], most=20)}. Got {key!r}.{nearest(key, _KEYS[section])}"
                )
    if settings.get("case", {}).get("format", FORMAT) != FORMAT:
        raise InputError(
            f"{FILE} must be of format {FORMAT}. Got {settings['case']['format']!r}; read it with the version that wrote it."
        )
    return {section: settings.get(section, {}) for section in _KEYS}


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
    return read_table(_inside(folder, names.get(part), f"tables.{part}"), part).frame


def _inside(folder: Path, name: Any, key: str) -> Path:
    """Return the path of a file that must lie in the folder itself."""
    if not isinstance(name, str) or name in ("", ".", "..") or Path(name).name != name or "\\" in name:
        raise InputError(
            f"{key} in {FILE} must be the name of a file beside it. Got {name!r}; put the file in the folder."
        )
    return folder / name


def _state(folder: Path, values: dict[str, Any]) -> SavedState:
    kind = values.get("kind")
    if not isinstance(kind, str):
        raise InputError(
            f"state.kind in {FILE} must be a name. Got {kind!r}; restore it, or remove the section [state]."
        )
    key = f"state.file in {FILE}"
    return SavedState(kind, read_arrays(_inside(folder, values.get("file"), "state.file"), key))


def _mask(folder: Path, name: Any, key: str, n: int) -> npt.NDArray[np.bool_]:
    return _array(folder, name, key, n, np.bool_, "truth value")


def _array(folder: Path, name: Any, key: str, n: int, dtype: type[np.generic], what: str) -> npt.NDArray[Any]:
    path = _inside(folder, name, key)
    try:
        values = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise InputError(
            f"{key} in {FILE} must name an array file. {name!r} is missing or damaged ({error}); restore it."
        ) from error
    if not isinstance(values, np.ndarray) or values.dtype != dtype or values.shape != (n,):
        raise InputError(f"{key} in {FILE} must hold one {what} per row, {n:,} here. {name!r} does not; restore it.")
    return values
