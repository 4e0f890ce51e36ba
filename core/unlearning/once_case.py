"""Results of calls that once gave a case.

They still have a case's attributes, with a warning.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from core.former import warn
from core.unlearning.base import UnlearnResult


@dataclass(frozen=True, repr=False)
class OnceCase(UnlearnResult):
    """Result of `refit` and `converge`.

    It is an `UnlearnResult` that has, for now, the attributes of its case as well.
    """

    was_a_case = True

    def __getattr__(self, name: str) -> Any:
        """Return an attribute of the case, with a DeprecationWarning."""
        if name.startswith("__") or "case" not in vars(self):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        value = getattr(self.case, name)
        warn(f"That core.{self._call} gives a case will go. Write .case.{name} in place of .{name}.")
        return value

    @property
    def _call(self) -> str:
        return "refit" if self.method == "refit" else "converge"
