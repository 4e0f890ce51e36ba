"""Ids and amounts of records as they are typed."""

from __future__ import annotations

import re

from core.command_line.terminal import BadArgumentError


def ids_from_list(text: str) -> list[str]:
    """Return the ids in a list separated by commas.

    Examples
    --------
    >>> ids_from_list("a, b,c,")
    ['a', 'b', 'c']
    """
    ids = [part.strip() for part in text.split(",") if part.strip()]
    if not ids:
        raise BadArgumentError(f"--ids must name at least one id. Got {text!r}; write them as a,b,c.")
    return ids


def amount(text: str, n: int) -> int:
    """Return how many of `n` records "1%" or "120" asks for, at least one.

    Examples
    --------
    >>> amount("1%", 12_000), amount("7", 10)
    (120, 7)
    """
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(%?)\s*", text)
    if not found or (not found[2] and "." in found[1]) or float(found[1]) == 0:
        raise BadArgumentError(
            f"An amount must be a share such as 1% or a number such as 120. Got {text!r}; write one of these."
        )
    wanted = max(1, round(float(found[1]) / 100 * n)) if found[2] else int(found[1])
    if wanted >= n:
        raise BadArgumentError(
            f"An amount must leave some of the {n:,} records. Got {text!r}, which is {wanted:,}; ask for fewer."
        )
    return wanted
