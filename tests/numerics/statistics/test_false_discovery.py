"""Discovery rates against scipy's own procedure."""

from __future__ import annotations

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.stats import false_discovery_control

from core.numerics.statistics.false_discovery import discovery_rates

SHARES = st.one_of(st.floats(0.0, 1.0), st.sampled_from([0.0, 0.01, 0.05, 1.0]))


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(SHARES, min_size=1, max_size=60), st.data())
def test_rates_are_those_of_benjamini_and_hochberg(values: list[float], data: st.DataObject) -> None:
    tried = np.array(values)
    asked = np.array(data.draw(st.lists(st.integers(0, len(tried) - 1), min_size=1)))
    expected = false_discovery_control(tried, method="bh")[asked]
    np.testing.assert_allclose(discovery_rates(tried[asked], tried), expected, rtol=1e-7, atol=1e-300)


def test_nothing_is_said_where_nothing_was_tested() -> None:
    assert np.isnan(discovery_rates(np.array([np.nan, np.nan]), np.array([np.nan, np.nan]))).all()
    assert len(discovery_rates(np.empty(0), np.array([0.1]))) == 0
