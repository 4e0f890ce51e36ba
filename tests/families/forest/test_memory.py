"""Adopting a forest is refused, with the figures, where it would not fit into memory."""

from __future__ import annotations

import gc
import platform
import subprocess
import sys
import tracemalloc

import pytest
from sklearn.ensemble import RandomForestClassifier

import core
from core.errors import InputError, LimitError
from core.families.forest.memory import memory_of
from core.families.forest.unlearner import Forest
from core.unlearning import memory
from tests.conftest import make_table

FEATURES = ["age", "income", "debt"]
TRAIN, TEST = (make_table(rows, seed).dropna().reset_index(drop=True) for rows, seed in ((3000, 61), (200, 62)))
ROLES = core.Roles("granted", 1, 1, ["sex"], record_id="person")


def make_case(**options):
    model = RandomForestClassifier(6, random_state=0, **options).fit(TRAIN[FEATURES], TRAIN["granted"])
    return core.Case(model, train=TRAIN, test=TEST, roles=ROLES)


def test_a_forest_that_does_not_fit_is_refused_before_any_memory_is_taken(monkeypatch):
    case = make_case()
    monkeypatch.setenv(memory.VARIABLE, "0.5")
    with pytest.raises(LimitError, match=r"Adopting 6 trees of 2,\d+ rows must fit into memory. It takes about [\d.]+ MB and "
                       r"512 kB are available; remove records by refit \(method='refit'\), or train fewer trees."):  # fmt: skip
        core.prepare(case, method="forest")
    with pytest.raises(LimitError, match="must fit into memory"):
        core.unlearn(case, case.record_ids[:1], method="forest")
    assert core.prepare(case) is case
    result = core.unlearn(case, case.record_ids[:1])
    assert result.method == "refit"
    assert any(
        note.startswith("Not done by forest: Adopting 6 trees") and note.endswith("trees.") for note in result.notes
    )
    monkeypatch.setenv(memory.VARIABLE, str(memory_of(case.model, len(TRAIN)) / 2**20 + 0.1))
    assert core.unlearn(case, case.record_ids[:1]).method == "forest"


@pytest.mark.parametrize("value", ["0", "-1", "much", "inf", "nan"])
def test_a_limit_that_is_no_number_is_told(value, monkeypatch):
    monkeypatch.setenv(memory.VARIABLE, value)
    with pytest.raises(InputError, match=f"number of megabytes above 0. Got '{value}'"):
        memory.available_memory()


def test_the_least_of_system_container_and_process_counts(tmp_path, monkeypatch):
    monkeypatch.delenv(memory.VARIABLE, raising=False)
    monkeypatch.setattr(memory, "CGROUP", tmp_path)
    monkeypatch.setattr(memory, "MEMINFO", tmp_path / "meminfo")
    assert memory.available_memory() is None
    (tmp_path / "meminfo").write_text("MemTotal:  9000 kB\nMemAvailable:   4000 kB\nHugePages_Total: 0\n")
    assert memory.available_memory() == 4000 * 1024
    (tmp_path / "memory.max").write_text("max\n")
    (tmp_path / "memory.current").write_text("900000\n")
    (tmp_path / "memory.stat").write_text("anon 5\ninactive_file 100000\n")
    assert memory.available_memory() == 4000 * 1024
    (tmp_path / "memory.max").write_text("2000000\n")
    assert memory.available_memory() == 1_200_000
    with pytest.raises(LimitError, match=r"It takes about 1\.15 MB and 1\.14 MB are available; do less"):
        memory.check_memory(1_210_000, "Work", "do less")
    memory.check_memory(1_200_000, "Work", "do less")


@pytest.mark.parametrize("options", [{}, {"max_depth": 4}, {"max_features": None}], ids=str)
def test_what_is_estimated_is_about_what_is_taken(options):
    Forest().prepare(make_case(**options))
    case = make_case(**options)
    gc.collect()
    tracemalloc.start()
    Forest().prepare(case)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < memory_of(case.model, len(TRAIN)) < 3 * peak


ROUNDS = """
import resource
import numpy as np
from core.unlearning.memory import keep_freed_memory

def pages():
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        trees = [np.ones(100_000) for _ in range(20)]
        del trees
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

print(pages())
keep_freed_memory()
print(pages())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other allocators have rules of their own")
def test_memory_that_was_let_go_is_taken_again_without_asking_the_system():
    before, kept = map(int, subprocess.check_output([sys.executable, "-c", ROUNDS]).split())
    assert kept < 100 < 1000 < before
