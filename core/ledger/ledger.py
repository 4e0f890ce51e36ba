"""The ledger: what was done to a model, by whom and why; only ever added to."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import InputError, InputTypeError, LedgerError
from core.ledger.entries import Entry, chain_faults, first_hash
from core.ledger.integrity import IntegrityCheck, signer_fault
from core.ledger.signing import Keys, checked_fingerprint, default_keys, fingerprint_of, is_signed
from core.ledger.store import Head, Lookup, Store

if TYPE_CHECKING:
    import pandas as pd

    from core.ledger.content import ProofToWrite, SearchResult
    from core.mitigation.base import Mitigation
    from core.unlearning.base import UnlearnResult

METRIC = "equal_opportunity_difference"
USUAL = "Differences up to 0.05, ratios from 0.9"
LONGEST = 2_000
"""Characters of an actor or a reason."""
TIMELINE = ("number", "at", "kind", "actor", "reason", "hash")


class Ledger:
    """A signed, hash-chained list of what was done; entries are added and never changed.

    Parameters
    ----------
    url : str
        SQLAlchemy's address of a database. A file, ``sqlite:///redress.db``, is made with the first entry; PostgreSQL needs the extra
        ``redress[postgresql]``.
    keys : str or Path, optional
        Folder of the keys that sign entries and hide ids, made with the first entry. None is ``REDRESS_KEYS``, or ``keys`` in ``REDRESS_HOME``
        or in ``~/.redress``. Keep it apart from the ledger.

    Raises
    ------
    InputError
        If the address names no database that can be used here.

    Notes
    -----
    A record is named by a keyed hash of its id alone, and no value of it is written. Any number of processes may add entries at once. A
    process that is killed leaves an entry whole or not at all.

    Examples
    --------
    >>> import core, tempfile
    >>> folder = tempfile.mkdtemp()
    >>> ledger = core.Ledger(f"sqlite:///{folder}/redress.db", keys=f"{folder}/keys")
    >>> case = core.load_case("credit")
    >>> entry = ledger.append(core.unlearn(case, ["A100077"]), actor="Ada", reason="request 17")
    >>> entry.number, entry.facts["method"]["guarantee"], ledger.verify().status
    (1, 'certified', 'intact')
    """

    def __init__(self, url: str, *, keys: str | Path | None = None) -> None:
        self._store = Store(url)
        if keys is not None and not isinstance(keys, str | Path):
            raise InputTypeError(f"`keys` must name a folder. Got {type(keys).__name__}; give its path.")
        self.keys = Keys(default_keys() if keys is None else Path(keys))

    def __repr__(self) -> str:
        return f"Ledger({self._store.shown!r})"

    # -- writing

    def append(
        self,
        result: UnlearnResult,
        *,
        actor: str,
        reason: str,
        on: str = "explore",
        metric: str = METRIC,
        sensitive_feature: str | Sequence[str] | None = None,
        profile: str = USUAL,
        found: SearchResult | None = None,
        proof: ProofToWrite | None = None,
        alternatives: Iterable[Mitigation] = (),
        random: pd.DataFrame | None = None,
    ) -> Entry:
        """Write down a removal, an edit or a refit: what was done, and what it did to every metric.

        Costs an audit before and after. On confirm or test these count as looks at the rows kept aside.

        Parameters
        ----------
        result : UnlearnResult
            From `core.unlearn`, `core.edit`, `core.refit` or `core.converge`.
        actor, reason : str
            Who did it, and why.
        on : {"explore", "confirm", "test"}
            Rows on which before and after are measured.
        metric : str
            The gap that was to close, which the guardrails judge.
        sensitive_feature : str or tuple of str, optional
            Between whose groups; None is the first.
        profile : str
            The policy profile in force, one of `core.metrics.policy.PROFILES`.
        found : Plan, HarmfulRecords, Explanation, Subset or list of Subset, optional
            The search that found the records: its rules, and the gain to expect on other rows.
        proof : optional
            What showed that the records are forgotten: it has ``to_dict()``, or is a `RetrainGap`.
        alternatives : iterable of Mitigation, optional
            What else was tried, from `core.mitigate`.
        random : DataFrame, optional
            What `core.random_removals` gave.

        Returns
        -------
        Entry
            As it was written.

        Raises
        ------
        InputError
            If actor or reason is empty, or the ledger is another signer's or not whole.
        LedgerError
            If it cannot be written; nothing is half written.
        """
        from core.ledger.content import AppendRequest, facts_of  # what measures is imported where it is needed

        checked = _checked_text("actor", actor), _checked_text("reason", reason)
        asked = AppendRequest(on, metric, sensitive_feature, profile, found, proof, tuple(alternatives), random)
        return self._write(facts_of(result, asked, self.keys), *checked)

    def append_event(self, kind: str, facts: Mapping[str, Any], *, actor: str, reason: str) -> Entry:
        """Write down something other than a removal, such as a finalised erasure.

        Parameters
        ----------
        kind : str
            Its name.
        facts : mapping
            Plain values. It is the caller's part that no record's id or value is among them; `keys.hidden` hides ids.
        actor, reason : str
            Who did it, and why.
        """
        if not isinstance(facts, Mapping):
            raise InputTypeError(f"`facts` must be a mapping. Got {type(facts).__name__}; give names and values.")
        said = _checked_text("actor", actor), _checked_text("reason", reason)
        return self._write(dict(facts) | {"kind": _checked_text("kind", kind)}, *said)

    def _write(self, facts: dict[str, Any], actor: str, reason: str) -> Entry:
        beginning: list[str] = []

        def following(head: Head | None, find: Lookup) -> tuple[Entry, Head]:
            ledger_id = secrets.token_hex(16) if head is None else head.ledger_id
            self._check_before_adding(head, find)
            now = datetime.now(UTC).isoformat(timespec="milliseconds")
            number, previous = (1, first_hash(ledger_id)) if head is None else (head.number + 1, head.hash)
            entry = Entry.made(number, previous, facts | {"at": now, "actor": actor, "reason": reason})
            beginning[:] = [ledger_id]
            return entry, self._signed(ledger_id, entry)

        entry = self._store.add(following)
        self.keys.remember(beginning[0], entry.number, entry.hash)
        return entry

    def _signed(self, ledger_id: str, entry: Entry) -> Head:
        head = Head(ledger_id, entry.number, entry.hash, self.keys.public_key.hex(), "")
        return Head(ledger_id, entry.number, entry.hash, head.public_key, self.keys.sign(head.message).hex())

    def _check_before_adding(self, head: Head | None, find: Lookup) -> None:
        """Refuse to put a signature under what somebody else wrote."""
        if head is None:
            return
        if not self.keys.exist or self.keys.public_key.hex() != head.public_key:
            raise InputError(
                f"A ledger must be added to with the key that signed it, {_fingerprint_of(head)}. "
                f"{str(self.keys.folder)!r} does not hold it; name the folder that does, or begin another ledger."
            )
        last = find(head.number)
        if last is None or last.hash != head.hash or last.fault() or head_fault(head):
            raise LedgerError(
                "A ledger must be whole to be added to. Its last entry is not the one signed; see verify()."
            )
        if fault := self._gone_back(head, find):
            raise LedgerError(f"A ledger must be whole to be added to. {fault}")

    def _gone_back(self, head: Head, find: Lookup) -> str:
        """Return a sentence where the ledger misses what its keys have seen, else nothing."""
        seen = self.keys.seen(head.ledger_id)
        if seen is None:
            return ""
        if seen[0] > head.number:
            return f"Entries {head.number + 1} to {seen[0]} are gone: this is an earlier state of the ledger."
        entry = find(seen[0])
        same = entry is not None and entry.hash == seen[1]
        return "" if same else f"Entry {seen[0]} is not the one that was written here."

    # -- reading

    @property
    def entries(self) -> tuple[Entry, ...]:
        """All entries, the first one first."""
        return tuple(self._store.read()[1])

    def __len__(self) -> int:
        return len(self._store.read()[1])

    def to_frame(self) -> pd.DataFrame:
        """Return the timeline: a row for each entry."""
        import pandas as pd

        rows = [[getattr(entry, name) for name in TIMELINE] for entry in self.entries]
        return pd.DataFrame(rows, columns=list(TIMELINE)).set_index("number")

    def entries_about(self, ids: Iterable[Any], *, by: str = "record") -> tuple[Entry, ...]:
        """Return the entries that forgot any of some records or subjects.

        It takes the key that hides ids.

        Parameters
        ----------
        ids : iterable
        by : {"record", "subject"}
            What the ids name.
        """
        hidden = set(self.keys.hidden(ids, by)) if self.keys.exist else set()
        name = "hashes" if by == "record" else "subject_hashes"
        return tuple(
            entry for entry in self.entries if hidden.intersection(entry.facts.get("forgotten", {}).get(name, ()))
        )

    @property
    def fingerprint(self) -> str:
        """Fingerprint of the key that signs.

        Give it to whoever verifies by another way than the evidence.
        """
        head, _ = self._store.read()
        return self.keys.fingerprint if head is None else _fingerprint_of(head)

    def read(self) -> tuple[Head, list[Entry]]:
        """Return the signed head and all entries.

        Raises
        ------
        InputError
            If nothing was written yet.
        """
        head, entries = self._store.read()
        if head is None:
            raise InputError(f"A ledger must hold an entry. {self._store.shown} holds none; append a result first.")
        return head, entries

    def verify(self, key_fingerprint: str | None = None) -> IntegrityCheck:
        """Check every entry, the chain, and the signature under its end.

        O(size of the ledger).

        Parameters
        ----------
        key_fingerprint : str, optional
            Of whoever must have signed. None is the key in the folder of keys, where there is one.

        Returns
        -------
        IntegrityCheck
            Falsy where the ledger is broken; `.broken` says what broke.
        """
        own = self.keys.fingerprint if self.keys.exist else None
        wanted = own if key_fingerprint is None else checked_fingerprint(key_fingerprint)
        head, entries = self._store.read()
        if head is None:
            broken = ["Its head is gone, without which nobody knows where it ends."] if entries else []
            return IntegrityCheck("ledger", tuple(broken), len(entries), "", is_signer_known=wanted is not None)
        broken = chain_faults(entries, head.ledger_id)
        last = entries[-1] if entries else None
        if last is None or (last.number, last.hash) != (head.number, head.hash):
            broken.append(f"The last entry is not the one signed, entry {head.number}: entries were dropped or added.")
        broken += filter(None, [head_fault(head), self._gone_back(head, {one.number: one for one in entries}.get)])
        broken += signer_fault(_fingerprint_of(head), wanted)
        return IntegrityCheck(
            "ledger", tuple(broken), len(entries), _fingerprint_of(head), is_signer_known=wanted is not None
        )


def head_fault(head: Head) -> str:
    """Return a sentence on a wrong signature under a ledger's end; empty where it is right."""
    try:
        key, signature = bytes.fromhex(head.public_key), bytes.fromhex(head.signature)
        as_written = (key.hex(), signature.hex()) == (head.public_key, head.signature)
        signed = as_written and is_signed(key, signature, head.message)
    except ValueError:
        signed = False
    return "" if signed else "The signature under its last entry does not belong to it."


def _fingerprint_of(head: Head) -> str:
    try:
        return fingerprint_of(bytes.fromhex(head.public_key))
    except ValueError:
        return ""


def _checked_text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise InputTypeError(f"`{name}` must be text. Got {type(value).__name__}; write a few words.")
    text = value.strip()
    if not text or len(text) > LONGEST:
        raise InputError(f"`{name}` must have 1 to {LONGEST:,} characters. Got {len(text):,}; say it in a sentence.")
    return text
