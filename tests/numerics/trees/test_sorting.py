"""Keys come out in the order of their codes, whichever way they are sorted."""

from __future__ import annotations

import numpy as np
import pytest
from numba import njit

from core.numerics.trees.arrays import RANKED, ROOM_TO_SORT
from core.numerics.trees.sorting import BUCKETED, CROWDED, INSERTION, sort_keys

sort = njit(sort_keys.py_func)
SIZES = [1, INSERTION, INSERTION + 1, RANKED, RANKED + 1, BUCKETED, BUCKETED + 1, 1000]


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("spread", [1, 2, 200, 70_000, (1 << 31) - 1])
def test_keys_come_in_the_order_of_their_codes(n, spread):
    draw = np.random.default_rng(n)
    codes = draw.integers(0, spread, n)
    for crowd in (0, CROWDED, CROWDED + 1):
        codes[: min(crowd, n)] = codes[0]
        keys = (codes << 32) | draw.integers(0, 1 << 31, n)
        wanted, room = np.sort(keys), np.empty(n + ROOM_TO_SORT, np.int64)
        low = codes.min()
        sort(keys, room, n, low, codes.max() - low, np.empty(RANKED, np.int32))
        assert np.array_equal(keys >> 32, wanted >> 32)
        assert np.array_equal(np.sort(keys), wanted)
