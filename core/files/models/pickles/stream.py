"""Bytes of a pickle read from front to back.

Every declared size is checked against the bytes left.
"""

from __future__ import annotations

import time

from core.errors import InputError, LimitError
from core.files.models.inert import LONGEST_NAME
from core.files.tables.limits import ModelLimits, show_bytes


class Stream:
    """The bytes of a file, where reading stands, and what reading may still cost.

    Parameters
    ----------
    data : bytes
    limits : ModelLimits
        `max_unzipped` bounds the bytes that reading may make beyond the file's own, `max_read_seconds` the time.
    """

    def __init__(self, data: bytes, limits: ModelLimits) -> None:
        self.data = data
        self.at = 0
        self._limits = limits
        self._left = limits.max_unzipped
        self._until = time.monotonic() + limits.max_read_seconds

    def take(self, size: int) -> bytes:
        """Return the next bytes; raise if there are fewer."""
        end = self.at + size
        if size < 0 or end > len(self.data):
            raise damaged(f"it declares {size:,} bytes where {len(self.data) - self.at:,} are left")
        start, self.at = self.at, end
        return self.data[start:end]

    def number(self, size: int) -> int:
        """Return an unsigned number of so many bytes."""
        return int.from_bytes(self.take(size), "little")

    def line(self) -> bytes:
        """Return the bytes up to the end of the line, without it."""
        end = self.data.find(b"\n", self.at)
        if end < 0:
            raise damaged("a line does not end")
        return self.take(end + 1 - self.at)[:-1]

    def word(self) -> str:
        """Return a line that is a name."""
        word = self.line()
        if len(word) > LONGEST_NAME:
            raise damaged(f"a name is {len(word):,} bytes long")
        return word.decode()

    def spend(self, size: int) -> None:
        """Count bytes that are made from those in the file."""
        self._left -= size
        if self._left < 0:
            raise LimitError(
                f"A model file can unpack to at most {show_bytes(self._limits.max_unzipped)}. Got more; save a smaller model."
            )

    def check_time(self) -> None:
        """Raise once reading has taken too long."""
        if time.monotonic() > self._until:
            raise LimitError(
                f"A model file must be read within {self._limits.max_read_seconds:g} s. This one takes longer; save a smaller model."
            )


def damaged(why: str) -> InputError:
    """Return the error for a file that no pickler writes."""
    return InputError(
        f"A model file must be a whole pickle, joblib or skops file. In this one {why}; save or upload it again."
    )
