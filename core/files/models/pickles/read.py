"""Reading a pickle or joblib file into a tree of inert parts."""

from __future__ import annotations

from typing import Any

from core.files.models.pickles.machine import Machine
from core.files.models.pickles.stream import Stream
from core.files.models.pickles.unpack import unpack_pickle
from core.files.tables.limits import ModelLimits

LIMITS = ModelLimits()


def read_pickle(data: bytes, *, limits: ModelLimits | None = None) -> Any:
    r"""Return the contents of a pickle or joblib file as data.

    Nothing of it is run, and nothing it names is imported.

    Cost grows with the size of the file unpacked.

    Parameters
    ----------
    data : bytes
        The file: any protocol, packed or not.
    limits : ModelLimits, optional
        What it must keep.

    Returns
    -------
    object
        A tree of the parts that `core.files.models.inert` lists.

    Raises
    ------
    LimitError
        If a limit is passed.
    InputError
        If it is no whole pickle, or one that needs more than itself.

    Examples
    --------
    >>> tree = read_pickle(b"cos\nsystem\n(S'echo boo'\ntR.")
    >>> str(tree.maker), tree.args
    ('os.system', ('echo boo',))
    """
    limits = limits or LIMITS
    return Machine(Stream(unpack_pickle(data, limits), limits), limits).run()
