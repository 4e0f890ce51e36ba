"""All slices of up to three conditions, counted exhaustively.

Which rows a condition holds for is one bit a row, so that a slice is an AND of a few hundred words and a count the number of bits set. Every
conjunction with enough rows is counted, none is passed over for what its outcomes look like: a correction for all tried is one for all there are.
Passed over are conjunctions that leave the rows of a shorter one as they are. O(n_conditions^3 n_rows / 64).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.rules.binning import Binned
from core.typing import Bools, Longs, Positions, Progress

Words = npt.NDArray[np.uint64]
BUDGET = 60_000_000_000
"""Words looked at beyond which conditions are left out, those of fewest rows first: about a minute."""


@dataclass(frozen=True, eq=False)
class SliceCounts:
    """Counts of every slice tried.

    Parameters
    ----------
    places : ndarray of int, shape (n_slices, 3)
        The conditions of each, by their place in `Binned.conditions`, ascending; -1 where there are fewer.
    counts : ndarray of int, shape (n_slices, n_masks)
        Rows of the slice in each mask.
    """

    places: Positions
    counts: Longs

    def __len__(self) -> int:
        return len(self.places)


def count_slices(
    binned: Binned, masks: Sequence[Bools], fewest: int, max_predicates: int, report: Progress
) -> tuple[SliceCounts, tuple[str, ...]]:
    """Count the rows of every slice in each of some masks, the first of which holds for all.

    Parameters
    ----------
    binned : Binned
    masks : sequence of ndarray of bool
    fewest : int
        Rows that a slice must have.
    max_predicates : int
        1 to 3.
    report : callable
        Told the share done.

    Returns
    -------
    SliceCounts
    tuple of str
        What was left out.
    """
    holds = packed(rows_of_conditions(binned))
    words = packed(np.asarray(masks))
    kept, notes = _affordable(holds, len(masks), max_predicates)
    holds, columns = holds[kept], binned.columns[kept]
    single = _counts(holds, words)
    wide = single[:, 0] >= fewest
    parts = [(np.flatnonzero(wide)[:, None], single[wide])]
    together = np.full((len(kept), len(kept)), -1, dtype=np.int64)
    if max_predicates > 1:
        parts += _longer(holds, columns, words, single, together, fewest, max_predicates, report)
    places = np.concatenate([np.pad(rows, ((0, 0), (0, 3 - rows.shape[1])), constant_values=-1) for rows, _ in parts])
    places = np.where(places < 0, -1, kept[places])
    return SliceCounts(places, np.concatenate([counts for _, counts in parts])), notes


def rows_of_conditions(binned: Binned) -> Bools:
    """Return which rows every condition holds for, of shape (n_conditions, n_rows)."""
    bins = binned.bins[:, binned.columns].T
    return np.asarray((bins >= binned.starts[:, None]) & (bins < binned.stops[:, None]))


def packed(holds: Bools) -> Words:
    """Return rows of flags as words of 64 bits."""
    spare = -holds.shape[1] % 64
    return np.packbits(np.pad(holds, ((0, 0), (0, spare))), axis=1).view(np.uint64)


def _counts(slices: Words, masks: Words) -> Longs:
    return np.stack([np.bitwise_count(slices & mask).sum(axis=1, dtype=np.int64) for mask in masks], axis=1)


def _affordable(holds: Words, n_masks: int, max_predicates: int) -> tuple[Positions, tuple[str, ...]]:
    """Return the conditions that there is time for.

    All, or those of most rows, whatever their outcomes are.
    """
    n = len(holds)
    most = int((6 * BUDGET / (max(holds.shape[1], 1) * n_masks)) ** (1 / 3)) if max_predicates > 2 else n
    if n <= most:
        return np.arange(n), ()
    size = np.bitwise_count(holds).sum(axis=1, dtype=np.int64)
    return np.sort(np.argsort(-size, kind="stable")[:most]), (
        f"Of {n:,} conditions the {most:,} that hold for most rows were tried.",
    )


def _longer(
    holds: Words,
    columns: npt.NDArray[np.int32],
    words: Words,
    single: Longs,
    together: Longs,
    fewest: int,
    max_predicates: int,
    report: Progress,
) -> list[tuple[Positions, Longs]]:
    """Return slices of two conditions, and of three."""
    pairs, parts = [], []
    for first in range(len(holds)):
        later = np.flatnonzero((columns > columns[first]) & (single[:, 0] >= fewest))
        if single[first, 0] < fewest or not len(later):
            continue
        counts = _counts(holds[later] & holds[first], words)
        together[first, later] = together[later, first] = counts[:, 0]
        new = (counts[:, 0] >= fewest) & (counts[:, 0] < np.minimum(single[first, 0], single[later, 0]))
        places = np.column_stack([np.full(int(new.sum()), first), later[new]])
        parts.append((places, counts[new]))
        pairs.append(places)
    if max_predicates < 3 or not pairs:
        return parts
    every = np.concatenate(pairs)
    for at, (first, second) in enumerate(every):
        if at % 200 == 0:
            report(at / len(every), f"Counting slices of three conditions, {at / len(every):.0%}")
        third = np.flatnonzero((columns > columns[second]) & (together[first] >= fewest) & (together[second] >= fewest))
        if not len(third):
            continue
        inside = holds[third] & (holds[first] & holds[second])
        size = np.bitwise_count(inside).sum(axis=1, dtype=np.int64)
        shorter = np.minimum(together[first, second], np.minimum(together[first, third], together[second, third]))
        new = (size >= fewest) & (size < shorter)
        if new.any():
            places = np.column_stack([np.tile([first, second], (int(new.sum()), 1)), third[new]])
            parts.append((places, _counts(inside[new], words)))
    return parts
