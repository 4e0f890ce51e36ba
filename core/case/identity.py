"""The identity of a case: digests of its tables, roles, model, threshold and records.

A model is named by its content: not by how its arrays lie in memory, nor by the bytes between the fields of a tree's nodes, which
differ from one fit, or one reading of the same file, to the next.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pandas as pd

from core.case.libraries.models import content_of
from core.case.roles import AtRate, Roles
from core.typing import Bools

THREADS = frozenset({"n_jobs", "n_threads", "nthread", "num_threads", "thread_count"})
"""What says on how many processors a model works, and nothing of what it gives; reading a file normalises it."""
PLAIN = (str, bytes, int, float, complex, bool, type(None))


def digest_of_data(roles: Roles, tables: Iterable[pd.DataFrame], confirm: Bools) -> str:
    """Return the hex digest of tables, roles of their columns and rows kept for confirming."""
    digest = hashlib.sha256(repr(sorted(roles.to_dict().items(), key=lambda item: item[0])).encode())
    for table in tables:
        digest.update(repr(list(table.columns)).encode())
        digest.update(pd.util.hash_pandas_object(table, index=False).to_numpy().tobytes())
    digest.update(confirm.tobytes())
    return digest.hexdigest()


def digest_of_case(
    data_digest: str, threshold: float | AtRate | None, model: object, retained: Bools, *edited: object
) -> str:
    """Return the hex digest of data, model, threshold and retained rows.

    Where rows were edited, their labels and weights count, too.
    """
    return digest_of_content([data_digest, repr(threshold), model, retained, *edited])


def digest_of_content(value: object) -> str:
    """Return the hex digest of an object: of its class, its attributes and all that they hold.

    Cost grows with its size.

    Examples
    --------
    >>> digest_of_content(np.ones((1, 3), order="C")) == digest_of_content(np.ones((3, 1)).T)
    True
    >>> digest_of_content({"a": 1, "b": [2.0]}) == digest_of_content({"b": [2.0], "a": 1})
    True
    >>> digest_of_content([1, 2]) == digest_of_content([[1], 2])
    False
    """
    digest = hashlib.sha256()
    _add(value, digest, ())
    return digest.hexdigest()


def _add(value: Any, digest: Any, above: tuple[int, ...]) -> None:
    """Add an object to a digest; one that holds itself is named by how far up it stands."""
    if isinstance(value, np.generic):
        value = value.item() if value.dtype.names is None else np.asarray(value)
    if isinstance(value, PLAIN):
        digest.update(f"{type(value).__name__}:{value!r};".encode())
    elif isinstance(value, np.ndarray):
        _add_array(value, digest, above)
    elif id(value) in above:
        digest.update(f"above:{len(above) - above.index(id(value))};".encode())
    elif isinstance(value, type) or (hasattr(value, "__qualname__") and hasattr(value, "__module__")):
        digest.update(f"name:{value.__module__}.{value.__qualname__};".encode())
    elif isinstance(value, np.dtype):
        digest.update(f"dtype:{value.str};".encode())
    else:
        _add_parts(value, digest, (*above, id(value)))


def _add_array(values: Any, digest: Any, above: tuple[int, ...]) -> None:
    digest.update(f"array:{values.shape};".encode())
    if values.dtype.names is not None:
        for name in values.dtype.names:
            digest.update(f"field:{name};".encode())
            _add_array(values[name], digest, above)
    elif values.dtype.hasobject:
        for one in values.ravel().tolist():
            _add(one, digest, above)
    else:
        digest.update(values.dtype.str.encode())
        digest.update(values.tobytes())


def _add_parts(value: Any, digest: Any, above: tuple[int, ...]) -> None:
    digest.update(f"{type(value).__module__}.{type(value).__qualname__}(".encode())
    if type(value) in (list, tuple):
        parts = list(value)
    elif type(value) is dict:
        content = [pair for pair in value.items() if pair[0] not in THREADS]
        parts = [part for pair in sorted(content, key=lambda pair: repr(pair[0])) for part in pair]
    elif (own := content_of(value)) is not None:
        parts = own
    elif type(value) in (set, frozenset):
        parts = sorted(value, key=repr)
    elif isinstance(value, np.random.RandomState):
        parts = [value.get_state(legacy=False)]  # what it was seeded from is not saved with it, and changes no draw
    elif isinstance(value, np.random.Generator):
        parts = [value.bit_generator.state]
    else:
        made = value.__reduce_ex__(4)  # how pickle would take it apart
        parts = (
            [made] if isinstance(made, str) else [list(part) if isinstance(part, Iterator) else part for part in made]
        )
    for part in parts:
        _add(part, digest, above)
    digest.update(b")")
