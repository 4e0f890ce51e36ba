"""A feature of two codes has the split that sorting its rows and walking through them finds."""

from __future__ import annotations

import numpy as np
import pytest
from numba import njit

from core.numerics.trees.arrays import CLASS_BITS, RANKED, ROOM_TO_SORT
from core.numerics.trees.coarse import CONSTANT, NO_SPLIT, SPLIT
from core.numerics.trees.small import best_by_walking, best_of_two_codes

ROWS = 200
KEYS, SPARE, SMALL = np.empty(ROWS, np.int64), np.empty(ROWS + ROOM_TO_SORT, np.int64), np.empty(RANKED, np.int32)


@njit
def both_ways(codes, values, f, linked, pairs, a, b, min_leaf, entropy, keys, spare, small):
    one = best_of_two_codes(codes, values, 2 * f, f, pairs, a, b, min_leaf, entropy)
    return one, best_by_walking(codes, values, 2 * f, f, linked, pairs, a, b, min_leaf, entropy, keys, spare, small)


@pytest.mark.parametrize("entropy", [False, True])
def test_two_codes_have_the_split_that_walking_finds(entropy):
    draw, kinds = np.random.default_rng(int(entropy)), set()
    for _ in range(300):
        n, least = int(draw.integers(2, 60)), int(draw.choice([1, 1, 3, 20]))
        codes = (draw.random((3, ROWS)) < draw.choice([0.0, 0.03, 0.5])).astype(np.uint16)
        values = np.array([0.0, 1.0, 0.0, 5e-8, -1.0, np.inf], np.float32)
        f, most = int(draw.integers(3)), int(draw.choice([1, 3, 1 << 20]))
        labels = (draw.integers(1, most + 1, n) << CLASS_BITS) | draw.integers(0, 2, n)
        pairs = (labels << 32) | draw.choice(ROWS, n, replace=False)
        weights = [float((labels[labels & 1 == c] >> CLASS_BITS).sum()) for c in (0, 1)]
        one, other = both_ways(codes, values, f, int(f == 1), pairs, *weights, least, entropy, KEYS, SPARE, SMALL)
        assert one == other
        kinds.add(one[0])
    assert kinds == {CONSTANT, NO_SPLIT, SPLIT}
