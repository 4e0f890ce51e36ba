"""Files given all at once, told apart: training table, test table, parts of a model."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from core.errors import InputError, listed

_TABLE_NAMES = re.compile(
    r"\.(csv|tsv|txt|parquet|arff|xlsx|xls|data|gz|bz2|xz|zip)(\.(gz|bz2|xz|zip|zst))?$", re.IGNORECASE
)
_MODEL_NAMES = re.compile(r"\.(pkl|pickle|joblib|skops|sav|model|json|ubj|cbm)(\.(gz|bz2|xz|z))?$", re.IGNORECASE)
_MODEL_BYTES = (b"\x80", b"PK", b"\x78", b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"\x5d\x00\x00", b"ZF")
_BOOSTER_BYTES = (b"CBM1", b"tree\nversion=", b"tree\r\nversion=", b'{"learner"', b"{L")
_TRAINING = re.compile(r"(^|[^a-z])(train|training|fit)([^a-z]|$)", re.IGNORECASE)
_TESTING = re.compile(
    r"(^|[^a-z])(test|testing|valid|validation|val|holdout|hold_out|heldout|eval)([^a-z]|$)", re.IGNORECASE
)


@dataclass(frozen=True)
class Dropped:
    """Places of files among those given, by what each is for.

    Parameters
    ----------
    train, test : int or None
        The tables.
    model : tuple of int
        The parts of the model.
    """

    train: int | None
    test: int | None
    model: tuple[int, ...]


def sort_dropped(files: Sequence[tuple[str, bytes]]) -> Dropped:
    """Tell files apart by their names, and where those say nothing by their first bytes.

    Parameters
    ----------
    files : sequence of (str, bytes)
        Names and contents.

    Returns
    -------
    Dropped
        Of two tables whose names tell neither, the larger is the training table.

    Raises
    ------
    InputError
        If there are more than two tables.

    Examples
    --------
    >>> sort_dropped([("scaler.pkl", b""), ("test.csv", b""), ("model.pkl", b""), ("loans.csv", b"")])
    Dropped(train=3, test=1, model=(0, 2))
    """
    tables = [place for place, (name, data) in enumerate(files) if _is_table(name, data)]
    if len(tables) > 2:
        raise InputError(
            f"Files given at once can hold two tables, one for training and one for testing. Got {len(tables)}: {listed(files[place][0] for place in tables)}; "
            "give those two, each with its label."
        )
    train, test = _roles([(files[place][0], place) for place in sorted(tables, key=lambda one: -len(files[one][1]))])
    return Dropped(train, test, tuple(place for place in range(len(files)) if place not in tables))


def _is_table(name: str, data: bytes) -> bool:
    if _MODEL_NAMES.search(name) or data.startswith(_BOOSTER_BYTES):
        return False
    return bool(_TABLE_NAMES.search(name)) or not data.startswith(_MODEL_BYTES)


def _roles(tables: list[tuple[str, int]]) -> tuple[int | None, int | None]:
    """Return the places of the training and the test table among at most two, the larger first."""
    tests = [place for name, place in tables if _TESTING.search(name) and not _TRAINING.search(name)]
    named = [place for name, place in tables if _TRAINING.search(name)]
    places = [place for _, place in tables]
    if len(places) < 2:
        return (None, places[0]) if tests else (places[0] if places else None, None)
    untold = [place for place in places if place not in tests] or places
    train = named[0] if len(named) == 1 else untold[0]
    return train, next(place for place in places if place != train)
