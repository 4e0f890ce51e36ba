"""What a child process is asked to do with a booster."""

from __future__ import annotations

import core
from tests.families.libraries import FEATURES, TRAIN


def scored(data: bytes):
    return core.load_model(data).predict_proba(TRAIN[FEATURES])[:, 1]
