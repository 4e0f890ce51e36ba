"""A replay: what a ledger says was done, done again on the case, and every figure compared."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from core.actions.unlearn import DEFAULT_TOLERANCE, converge, unlearn
from core.case.case import Case, check_case
from core.errors import InputError, InputTypeError, RedressError
from core.former import check_progress
from core.ledger.content import AppendRequest, facts_of
from core.ledger.entries import Entry
from core.ledger.evidence import entries_in, read_pack, verify_evidence
from core.ledger.ledger import Ledger
from core.ledger.signing import Keys, default_keys
from core.shown import Shown
from core.typing import Progress
from core.unlearning.base import UnlearnResult
from core.unlearning.refit import refit
from core.verification.retrain_gap import retrain_gap
from core.words import count

SAME = {"rel_tol": 1e-6, "abs_tol": 1e-9}
"""How near figures must be: sums in another order round otherwise."""
ROUNDED = 0.01
"""How near a proven distance must be, most of which is rounding, to need no word."""
RESCORED = ("measured", "guardrails", "policy", "forgotten")
"""Parts of an entry that are measured again."""
MADE_AGAIN = ("guarantee", "claim", "name")
GAP_FIGURES = ("mean", "largest", "n_flipped", "n")
COUNTED = ("n_before", "n_after", "n_rows")
MOST = 20
"""Faults told of one entry."""
NAMING = ("when", "metric", "sensitive_feature", "group")
LEFT = {"found": "the search", "alternatives": "alternatives tried", "random": "random removals"}


@dataclass(frozen=True, repr=False)
class Replay(Shown):
    """The result of a replay, falsy where a figure is not the one written down.

    Falsy, too, where nothing could be replayed.

    Parameters
    ----------
    faults : tuple of str
        Figures that differ, a sentence each.
    replayed : tuple of int
        Numbers of the entries that were done again.
    n_figures : int
        Figures compared.
    notes : tuple of str
        What was not done again, and why.
    """

    faults: tuple[str, ...]
    replayed: tuple[int, ...]
    n_figures: int
    notes: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.replayed) and not self.faults

    def lines(self) -> list[str]:
        """Say how many entries were done again, and which figures differ."""
        entries = "1 entry" if len(self.replayed) == 1 else f"{len(self.replayed):,} entries"
        same = (
            "nothing was replayed"
            if not self.replayed
            else "figures differ"
            if self.faults
            else "every figure is the same"
        )
        return [f"Replay of {entries}, {count(self.n_figures, 'figure')} compared: {same}", *self.faults, *self.notes]

    def to_frame(self) -> pd.DataFrame:
        """Return the faults, one row each."""
        return pd.DataFrame({"fault": list(self.faults)})


def replay_evidence(
    source: str | Path | Ledger, case: Case, *, keys: str | Path | None = None, progress: Progress | None = None
) -> Replay:
    """Do again what evidence says was done to a case, and compare every figure.

    Costs what the removals and their audits cost.

    Parameters
    ----------
    source : str, Path or Ledger
        An evidence pack, or the ledger.
    case : Case
        The case the first removal began with: the controller's own copy, with its rows.
    keys : str or Path, optional
        Folder with the key that hides ids; None is the ledger's, or as for `core.Ledger`.
    progress : callable, optional
        Called with the share done and what is being done; may raise to cancel.

    Returns
    -------
    Replay

    Raises
    ------
    InputError
        If the pack is broken, nothing in it is about the case's tables, or there is no key.

    Notes
    -----
    Figures must agree to a millionth. Labels and weights that were changed are not in a ledger, so that such a step cannot be done again; nor are
    searches, random removals and alternatives.
    """
    check_progress(progress)
    check_case(case)
    entries = _entries(source)
    key_folder = (
        source.keys if isinstance(source, Ledger) and keys is None else Keys(Path(keys) if keys else default_keys())
    )
    about = [
        one for one in entries if one.facts.get("case", {}).get("data") == case.data_digest and "measured" in one.facts
    ]
    if not about:
        raise InputError(
            "A replay must be of the case that the evidence is about. It says nothing of these tables; load the case it names."
        )
    if not key_folder.can_hide and any(one.kind == "removal" for one in about):
        raise InputError(
            f"A replay must have the key that hides ids. {str(key_folder.folder)!r} does not hold it; name the folder of whoever keeps the ledger."
        )
    known, walk = {case.key: case}, _Walk(key_folder)
    for place, entry in enumerate(about):
        if progress is not None:
            progress(place / len(about), f"Replaying entry {entry.number}")
        before = known.get(entry.facts["case"]["before"])
        if before is None:
            walk.notes.append(
                f"Entry {entry.number} was not replayed: it begins with a version that this case does not lead to."
            )
            continue
        after = walk.again(entry, before)
        if after is not None:
            known[entry.facts["case"]["after"]] = after
    return Replay(tuple(walk.faults), tuple(walk.replayed), walk.n_figures, tuple(walk.notes))


def _entries(source: object) -> list[Entry]:
    if isinstance(source, Ledger):
        check = source.verify()
        entries = list(source.entries)
    elif isinstance(source, str | Path):
        check = verify_evidence(source)
        entries = entries_in(read_pack(source))[1] if check else []
    else:
        raise InputTypeError(
            f"A replay must be of an evidence pack or a ledger. Got {type(source).__name__}; give its path."
        )
    if not check:
        raise InputError(f"Only what is whole can be replayed. This {check.of} is broken: {' '.join(check.broken)}")
    return entries


class _Walk:
    """Do entries again one after another, and gather what differs."""

    def __init__(self, keys: Keys) -> None:
        self.keys = keys
        self.faults: list[str] = []
        self.notes: list[str] = []
        self.replayed: list[int] = []
        self.n_figures = 0

    def again(self, entry: Entry, before: Case) -> Case | None:
        """Return the case that an entry leads to, or None where it cannot be made again."""
        try:
            where = entry.facts["case"].get("where")
            result = self._made(entry, before.only(where) if where else before)
            if result is None:
                return None
            measured = entry.facts["measured"]
            parts = measured["feature_parts"]
            feature = parts[0] if len(parts) == 1 else tuple(parts)
            asked = AppendRequest(
                measured["on"], measured["metric"], feature, entry.facts["policy"]["profile"], None, None, (), None
            )
            found = facts_of(result, asked, self.keys)
        except RedressError as error:
            self.faults.append(f"Entry {entry.number} cannot be done again: {error}")
            return None
        self.replayed.append(entry.number)
        self._compare(entry, found, result)
        return result.case

    def _made(self, entry: Entry, before: Case) -> UnlearnResult | None:
        facts = entry.facts
        if entry.kind == "refit":
            return refit(before)
        if entry.kind == "convergence":
            return converge(before)
        if entry.kind != "removal":
            self.notes.append(
                f"Entry {entry.number} was not replayed: a ledger does not hold changed labels and weights."
            )
            return None
        names = {self.keys.hidden_id(one): one for one in before.retained_ids}
        hashes = facts["forgotten"]["hashes"]
        forget = [names[one] for one in hashes if one in names]
        if len(forget) != len(hashes):
            self.faults.append(
                f"Entry {entry.number} cannot be done again: {len(hashes) - len(forget):,} of {len(hashes):,} hashed ids are those of no record "
                "here. The key that hides ids may be another, or the rows may be gone."
            )
            return None
        method = facts["method"]
        tolerance = method["tolerance"] or DEFAULT_TOLERANCE
        return unlearn(before, forget, method=method["name"], tolerance=tolerance)

    def _compare(self, entry: Entry, found: Mapping[str, Any], result: UnlearnResult) -> None:
        facts, name = entry.facts, f"Entry {entry.number}"
        pairs: list[tuple[str, Any, Any]] = [(part, facts[part], found[part]) for part in RESCORED]
        pairs.append(("method", _only(facts["method"], MADE_AGAIN), _only(found["method"], MADE_AGAIN)))
        pairs.append(("case", _only(facts["case"], COUNTED), _only(found["case"], COUNTED)))
        gap: dict[str, Any] = (facts["proof"] or {}).get("retrain_gap") or {}
        measured_again = {"on", *GAP_FIGURES} <= gap.keys() and not gap.get("n_seeds")
        if measured_again:
            again = retrain_gap(result.case, on=gap["on"])
            pairs.append(("proof", _only(gap, GAP_FIGURES), {name: getattr(again, name) for name in GAP_FIGURES}))
        differing = []
        for part, said, made in pairs:
            for where, was, now in _leaves(part, said, made):
                self.n_figures += 1
                if not _same(was, now):
                    differing.append(f"{name}, {where}: written down {was!r}, found {now!r}.")
        more = [f"{name}: {len(differing) - MOST:,} further figures differ."] if len(differing) > MOST else []
        self.faults += [*differing[:MOST], *more]
        if found["case"]["model_after"] != facts["case"]["model_after"]:
            self.notes.append(
                f"{name}: the model is not the same to the bit; its decisions and figures are what is compared."
            )
        bounds = [one["method"]["bound"] for one in (facts, found)]
        if None not in bounds and not math.isclose(*bounds, rel_tol=ROUNDED):
            self.notes.append(
                f"{name}: the proven distance is {bounds[1]:.3e}, where {bounds[0]:.3e} was written down."
            )
        left = [words for key, words in LEFT.items() if facts.get(key)]
        left += ["the proof"] if facts["proof"] and not measured_again else []
        if left:
            self.notes.append(f"{name}: not done again: {', '.join(left)}.")


def _only(facts: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    return {name: facts[name] for name in names}


def _leaves(where: str, said: Any, made: Any) -> Iterator[tuple[str, Any, Any]]:
    """Go through two values side by side, down to the figures."""
    if isinstance(said, Mapping) and isinstance(made, Mapping):
        for key in dict.fromkeys([*said, *made]):
            yield from _leaves(f"{where} {key}", said.get(key), made.get(key))
    elif isinstance(said, Sequence) and isinstance(made, Sequence) and not isinstance(said, str):
        if len(said) != len(made):
            yield f"{where}, length", len(said), len(made)
        for place, (one, other) in enumerate(zip(said, made, strict=False), 1):
            yield from _leaves(f"{where} {_name(one, place)}", one, other)
    else:
        yield where, said, made


def _name(row: Any, place: int) -> str:
    """Return what tells a row of a table from others."""
    told = [str(row[key]) for key in NAMING if key in row] if isinstance(row, Mapping) else []
    return f"({', '.join(told)})" if told else str(place)


def _same(said: Any, made: Any) -> bool:
    numbers = all(isinstance(one, int | float) and not isinstance(one, bool) for one in (said, made))
    return math.isclose(said, made, **SAME) if numbers else said == made
