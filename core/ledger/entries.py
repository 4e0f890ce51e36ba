"""The entries of a ledger, and the chain of their hashes.

The hash of an entry covers its number, the hash of the one before, and the digest of its content. Whoever shows only a part of a ledger
gives the digest in place of a content, and the chain can still be followed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from core.json_values import value_for_json


def canonical_json(value: Any) -> str:
    """Return a value as JSON in the one form that is hashed and signed.

    Examples
    --------
    >>> canonical_json({"b": 1.5, "a": None})
    '{"a":null,"b":1.5}'
    """
    return json.dumps(value_for_json(value), sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def digest_of_text(text: str) -> str:
    """Return the SHA-256 of a text, in hex."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def first_hash(ledger_id: str) -> str:
    """Return what the first entry of a ledger names as the hash before it."""
    return digest_of_text(f"redress ledger\n{ledger_id}\n")


def hash_of_entry(number: int, previous: str, content_digest: str) -> str:
    """Return the hash that an entry must have."""
    return digest_of_text(f"redress entry\n{number}\n{previous}\n{content_digest}\n")


@dataclass(frozen=True)
class Entry:
    """One entry of a ledger.

    Parameters
    ----------
    number : int
        Its place, from 1.
    previous : str
        Hash of the entry before.
    content : str or None
        Canonical JSON; None where only its digest is shown.
    content_digest : str
        SHA-256 of the content.
    hash : str
        `hash_of_entry` of the others.
    """

    number: int
    previous: str
    content: str | None
    content_digest: str
    hash: str

    @classmethod
    def made(cls, number: int, previous: str, facts: dict[str, Any]) -> Entry:
        """Make the entry that follows another."""
        content = canonical_json(facts)
        digest = digest_of_text(content)
        return cls(number, previous, content, digest, hash_of_entry(number, previous, digest))

    @cached_property
    def facts(self) -> dict[str, Any]:
        """The content as a dictionary; empty where it is not shown or cannot be read."""
        try:
            found = json.loads(self.content) if self.content is not None else {}
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    @property
    def kind(self) -> str:
        """Kind of step: "removal", "edit", "refit", "convergence", or the name of an event."""
        return str(self.facts.get("kind", ""))

    @property
    def at(self) -> str:
        """When, in ISO format, UTC."""
        return str(self.facts.get("at", ""))

    @property
    def actor(self) -> str:
        """Who did it."""
        return str(self.facts.get("actor", ""))

    @property
    def reason(self) -> str:
        """Why."""
        return str(self.facts.get("reason", ""))

    def fault(self) -> str:
        """Return a sentence on a fault of the entry itself; empty where there is none."""
        if self.content is not None and digest_of_text(self.content) != self.content_digest:
            return f"Entry {self.number}: its content is not the one that was hashed."
        if hash_of_entry(self.number, self.previous, self.content_digest) != self.hash:
            return f"Entry {self.number}: its hash is not that of its content and place."
        if self.content is not None and not self.facts:
            return f"Entry {self.number}: its content cannot be read."
        return ""


def chain_faults(entries: Iterable[Entry], ledger_id: str) -> list[str]:
    """Return what breaks a chain of entries, a sentence for each fault.

    Examples
    --------
    >>> first = Entry.made(1, first_hash("a"), {"kind": "removal"})
    >>> chain_faults([first], "a"), chain_faults([first], "b")
    ([], ['Entry 1 does not follow the beginning of this ledger.'])
    """
    faults, number, before = [], 0, first_hash(ledger_id)
    for entry in entries:
        number += 1
        if entry.number != number:
            faults.append(
                f"Entry {number} is missing, or entries stand in another order: entry {entry.number} is found in its place."
            )
            number = entry.number
        elif entry.previous != before:
            follows = f"entry {number - 1}" if number > 1 else "the beginning of this ledger"
            faults.append(f"Entry {number} does not follow {follows}.")
        if fault := entry.fault():
            faults.append(fault)
        before = entry.hash
    return faults
