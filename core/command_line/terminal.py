"""What is said on a terminal."""

from __future__ import annotations

from core.errors import RedressError


class BadArgumentError(RedressError, ValueError):
    """Something on the command line cannot be used."""


def plain(text: object) -> str:
    r"""Return text that a terminal shows as it is: control characters are spelled out.

    Examples
    --------
    >>> plain("a\x1b[31mb\n")
    'a\\x1b[31mb\\n'
    """
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in str(text))
