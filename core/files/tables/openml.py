"""Data sets of OpenML by name, fetched when somebody asks for one."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any
from urllib.error import URLError

import numpy as np
import pandas as pd

from core.errors import InputError, LimitError, said
from core.files.tables.limits import Limits, check_limits
from core.files.tables.read import LoadedTable, loaded


def read_openml(
    name: str,
    version: int | None = None,
    *,
    limits: Limits = Limits(),  # noqa: B008
    folder: str | Path | None = None,
) -> LoadedTable:
    """Fetch a data set of OpenML by its name, with all its columns. Asks openml.org.

    Parameters
    ----------
    name : str
    version : int, optional
        None: the oldest active one.
    limits : Limits
        What the table must keep.
    folder : str or Path, optional
        Where scikit-learn keeps what was fetched; None is its own folder.

    Returns
    -------
    LoadedTable
        Nominal columns are text. A note says which column the data set calls its target.

    Raises
    ------
    InputError
        If there is no such data set, or openml.org cannot be reached.
    LimitError
        If it is too large.
    """
    from sklearn.datasets import fetch_openml  # takes long to import

    check_limits(limits, Limits)
    if not isinstance(name, str) or not name.strip():
        raise InputError(f"A data set of OpenML must be named. Got {name!r}; write for example 'adult'.")
    try:
        with warnings.catch_warnings():  # its quicker parser fails where the values of a nominal column are digits
            warnings.simplefilter("ignore")
            found = fetch_openml(
                name.strip(), version=version or "active", as_frame=True, parser="liac-arff",
                data_home=None if folder is None else str(folder), n_retries=1,
            )  # fmt: skip
    except (URLError, OSError, TimeoutError) as error:
        raise InputError(
            f"openml.org must be reached to fetch {name!r}. It was not ({said(error)}); try later, or upload the file."
        ) from error
    except Exception as error:  # what is fetched decides which
        raise InputError(
            f"A data set of OpenML must be there and be a table. {name!r} is not: {said(error)}."
        ) from error
    frame = _plain(found.frame)
    if frame.size > limits.max_cells or frame.shape[1] > limits.max_columns:
        raise LimitError(
            f"A table can have at most {limits.max_columns:,} columns and {limits.max_cells:,} cells. {name!r} has {len(frame):,} rows of "
            f"{frame.shape[1]:,} columns; choose another."
        )
    return loaded(frame, notes=_about(found, name))


def _about(found: Any, name: str) -> list[str]:
    details = getattr(found, "details", None) or {}
    target = ", ".join(map(repr, getattr(found, "target_names", None) or ()))
    which = f"{details.get('name', name)!r}, version {details.get('version', '?')}"
    return [f"{which} of OpenML{f'; it calls {target} its target' if target else ''}."]


def _plain(frame: pd.DataFrame) -> pd.DataFrame:
    """Return nominal columns as text, the others as they are."""
    columns = {}
    for place in range(frame.shape[1]):
        column = frame.iloc[:, place]
        if isinstance(column.dtype, pd.CategoricalDtype) or column.dtype == object:
            column = column.astype(object).map(str, na_action="ignore").astype("str")
        elif pd.api.types.is_numeric_dtype(column) and pd.api.types.is_extension_array_dtype(column):
            column = pd.Series(column.to_numpy(dtype=np.float64, na_value=np.nan))
        columns[place] = column.reset_index(drop=True)
    plain = pd.DataFrame(columns)
    plain.columns = frame.columns
    return plain
