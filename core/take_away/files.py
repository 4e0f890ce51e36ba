"""The model, the cleaned training table and the ids of removed records as bytes of files."""

from __future__ import annotations

import io
from typing import Any, Literal

import joblib
import pandas as pd

from core.case.arguments import check_choice
from core.case.case import Case, check_case
from core.files.models.models import checked_skops
from core.files.tables.read import read_table, safe_for_csv

RECORD = "record"
"""What the column of ids is called where the case's tables have none."""


def model_file(case: Case, kind: Literal["skops", "joblib"] = "skops") -> bytes:
    """Return the model of a case as a file that `core.load_model` opens.

    Parameters
    ----------
    case : Case
    kind : {"skops", "joblib"}
        A joblib file is a pickle: whoever opens it with joblib runs whatever stands in it, so it should come from nobody but oneself. Redress
        itself reads either as data.

    Raises
    ------
    InputError
        If the model holds a type that could not be read back.

    Examples
    --------
    >>> import core
    >>> case = core.load_case("credit")
    >>> again = core.load_model(model_file(case))
    >>> bool((again.predict_proba(case.test) == case.model.predict_proba(case.test)).all())
    True
    """
    check_case(case)
    check_choice("kind", kind, ("skops", "joblib"))
    data = checked_skops(case.model)  # Also where joblib is asked for: it refuses what could not be read back.
    if kind == "skops":
        return data
    written = io.BytesIO()
    joblib.dump(case.model, written, compress=3)
    return written.getvalue()


def cleaned_table(case: Case) -> pd.DataFrame:
    """Return the training table without the removed records, their ids in a column.

    Labels and weights are those of the table, also where `core.edit` gave the model others.

    Examples
    --------
    >>> import core
    >>> case = core.load_case("credit")
    >>> left = core.unlearn(case, ["A100001", "A100003"]).case
    >>> len(case.train) - len(cleaned_table(left)), cleaned_table(left)["application"].iloc[0]
    (2, 'A100002')
    """
    check_case(case)
    table = case.train[case.retained]
    if case.roles.record_id is not None:
        return table
    name = RECORD
    while name in table.columns:
        name += "_"
    return table.set_axis(case.retained_ids).rename_axis(name).reset_index()


def table_file(table: pd.DataFrame, kind: Literal["csv", "parquet"] = "csv") -> bytes:
    """Return a table as a file.

    A CSV in which no cell starts a formula, or Parquet with every value as it is.
    """
    check_choice("kind", kind, ("csv", "parquet"))
    if kind == "csv":
        return safe_for_csv(table).to_csv(index=False).encode()
    written = io.BytesIO()
    table.to_parquet(written, index=False, compression="zstd")
    return written.getvalue()


def removed_ids(case: Case) -> pd.DataFrame:
    """Return the ids of the removed records as a table of one column for `core.read_ids`."""
    check_case(case)
    return pd.DataFrame({str(case.roles.record_id or RECORD): case.forgotten_ids})


def ids_survive_csv(ids: pd.Index[Any]) -> bool:
    """Return whether ids read from a CSV file are those written into it.

    Texts that are all plain numbers are not: they are read as numbers. O(ids) where the first hundred are, else a glance.

    Examples
    --------
    >>> ids_survive_csv(pd.Index(["A1", "=2"])), ids_survive_csv(pd.Index([3, 4])), ids_survive_csv(pd.Index(["7", "8"]))
    (True, True, False)
    """
    if pd.api.types.is_numeric_dtype(ids) or not len(ids):
        return True
    if pd.to_numeric(pd.Series(ids[:100].astype(str)), errors="coerce").isna().any():
        return True
    table = pd.DataFrame({"id": ids, "beside": 0})
    return read_table(table_file(table)).frame["id"].tolist() == ids.tolist()
