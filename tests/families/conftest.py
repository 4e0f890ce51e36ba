"""Families that a test registers, and that are gone after it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import core
from core.families.registry import FAMILIES


@contextmanager
def registered(family: core.Family) -> Iterator[core.Family]:
    """Register a family for as long as the block runs."""
    core.register_family(family)
    try:
        yield family
    finally:
        FAMILIES.remove(family)
