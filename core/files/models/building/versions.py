"""Which scikit-learn a part was made with."""

from __future__ import annotations

import re
from typing import Any

import sklearn

from core.errors import InputError
from core.files.models.allowed import CURRENT

_RELEASE = re.compile(r"(\d{1,3})\.(\d{1,3})(?:\.\w{1,20}|[a-z]\w{0,20}){0,3}")


def release_of(version: Any, owner: int | None) -> int | None:
    """Return x of a version 1.x; where a part names none, that of the part which holds it.

    Raises
    ------
    InputError
        If it is a version before 1.0 or after the installed one, or no version.

    Examples
    --------
    >>> release_of("1.3.2", None), release_of(None, 4)
    (3, 4)
    """
    if version is None:
        return owner
    found = _RELEASE.fullmatch(version) if isinstance(version, str) else None
    if found is None:
        raise InputError(
            "A model must say which scikit-learn it was made with. This one does not; save it again with a current scikit-learn."
        )
    major, minor = int(found[1]), int(found[2])
    if (major, minor) > (1, CURRENT):
        raise InputError(
            f"A model must be made with scikit-learn {sklearn.__version__} or before. Got one made with {version}; "
            "train it with an earlier scikit-learn, or use a later Redress."
        )
    if major < 1:
        raise InputError(
            f"A model must be made with scikit-learn 1.0 or later. Got one made with {version}; train it anew."
        )
    return minor
