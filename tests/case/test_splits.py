import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.case.splits import split_test
from core.errors import InputError


@settings(max_examples=40, deadline=None)
@given(n=st.integers(2, 300), groups=st.integers(1, 6), seed=st.integers(0, 2**32 - 1))
def test_every_combination_of_label_and_groups_is_halved(n: int, groups: int, seed: int) -> None:
    generator = np.random.default_rng(seed)
    y = generator.random(n) < 0.3
    first, second = generator.integers(0, groups, n), generator.integers(0, 2, n)
    confirm = split_test(y, [first, second], seed)
    assert abs(2 * int(confirm.sum()) - n) <= 1
    for cell in {(bool(a), int(b), int(c)) for a, b, c in zip(y, first, second, strict=True)}:
        rows = (y == cell[0]) & (first == cell[1]) & (second == cell[2])
        # A cell of even size can start in the middle of a pair at both ends, which costs one row.
        assert abs(int((confirm & rows).sum()) - int((~confirm & rows).sum())) <= 2


def test_same_seed_same_rows_and_another_seed_other_rows() -> None:
    y = np.arange(400) % 3 == 0
    codes = np.arange(400) % 5
    assert np.array_equal(split_test(y, [codes], 7), split_test(y, [codes], 7))
    assert not np.array_equal(split_test(y, [codes], 7), split_test(y, [codes], 8))


def test_rows_are_not_split_by_position() -> None:
    confirm = split_test(np.zeros(2000, dtype=bool), [])
    assert 400 < confirm[:1000].sum() < 600
    assert 400 < confirm[::2].sum() < 600


def test_a_table_of_one_row_cannot_be_split() -> None:
    with pytest.raises(InputError, match="at least 2 rows"):
        split_test([True], [])


def test_lengths_must_agree() -> None:
    with pytest.raises(InputError, match="one entry per test row"):
        split_test([True, False, True], [np.array([0, 1])])


def test_neither_half_is_favoured_where_strata_meet() -> None:
    assert {tuple(split_test([False, True], [], seed).tolist()) for seed in range(20)} == {(True, False), (False, True)}
