"""A save that is killed between any two files leaves the old case or the new one."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression

import core
from core.errors import InputError

ROOT = Path(__file__).resolve().parents[3]
ROLES = core.Roles("granted", 1, 1, ["sex"])


class KilledError(BaseException):
    """Stands for the end of the process: nothing that saves catches it."""


class Killer:
    """Lets so many changes of a folder's files happen, and none after them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
        self.folder, self.left = folder, 10**6
        for name in ("replace", "rename", "unlink", "remove", "link"):
            monkeypatch.setattr(os, name, self._counting(getattr(os, name)))

    def _counting(self, change):  # type: ignore[no-untyped-def]
        def call(*paths, **options):  # type: ignore[no-untyped-def]
            # Beside the folder's own files, those written aside: what becomes of them changes no case.
            if Path(paths[-1]).parent == self.folder and options.get("dir_fd") is None:
                if not self.left:
                    raise KilledError
                self.left -= 1
            return change(*paths, **options)

        return call


def table(seed: int) -> pd.DataFrame:
    draw = np.random.default_rng(seed)
    found = pd.DataFrame({"debt": draw.normal(size=120), "sex": ["f", "m"] * 60})
    return found.assign(granted=(found["debt"] + draw.normal(size=120) > 0).astype(int))


@pytest.fixture(scope="module")
def cases() -> tuple[core.Case, core.Case]:
    """Two cases that share no file: of other rows and models, one with a forest's draws and one with edited labels."""
    train, other = table(0), table(1)
    forest = RandomForestClassifier(3, random_state=0).fit(train[["debt"]], train["granted"])
    line = LogisticRegression().fit(other[["debt"]], other["granted"])
    first = core.prepare(core.Case(forest, train, table(2), ROLES), method="forest")
    second = core.Case(line, other, table(3), ROLES, threshold=0.4)
    second = core.edit(core.unlearn(second, [3, 4]).case, relabel={7: 1 - int(other["granted"][7])}).case
    return first, second


def kill_after(save, changes: int, folder: Path, monkeypatch: pytest.MonkeyPatch) -> bool:  # type: ignore[no-untyped-def]
    """Save, killed after so many changes of the folder; return whether the save came to its end."""
    with monkeypatch.context() as patch:
        Killer(patch, folder).left = changes
        try:
            save(folder)
        except KilledError:
            return False
    return True


def test_whenever_a_save_is_killed_the_folder_holds_the_old_case_or_the_new(
    cases: tuple[core.Case, core.Case], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n, (old, new) in enumerate((cases, cases[::-1])):
        saved, seen, done = old.save(tmp_path / f"old {n}"), [], False
        while not done:
            folder = Path(shutil.copytree(saved, tmp_path / f"{n} killed after {len(seen)}"))
            done = kill_after(new.save, len(seen), folder, monkeypatch)
            seen.append(core.load_case(folder).key)
        assert seen == sorted(seen, key=[old.key, new.key].index), "once the new case is there, it stays"
        assert seen[0] == old.key
        assert seen[-1] == new.key
        assert len(seen) > 10
        assert {path.name for path in folder.iterdir()} == {
            path.name for path in new.save(tmp_path / f"new {n}").iterdir()
        }
        if n:
            continue
        # The next save starts from what the killed one left, whose files are in use by their other names.
        left, seen = tmp_path / f"{n} killed after {seen.index(new.key)}", []
        while not seen or seen[-1] is not None:
            folder = Path(shutil.copytree(left, tmp_path / f"{n} killed again after {len(seen)}"))
            done = kill_after(old.save, len(seen), folder, monkeypatch)
            assert core.load_case(folder).key in ((old.key,) if done else (old.key, new.key))
            seen.append(None if done else "")
        assert {path.name for path in folder.iterdir()} == {path.name for path in saved.iterdir()}


def test_a_killed_first_save_leaves_no_case(
    cases: tuple[core.Case, core.Case], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    n, whole = 0, False
    while not whole:
        folder = tmp_path / str(n)
        whole = kill_after(cases[1].save, n, folder, monkeypatch)
        if not whole and (folder / "case.toml").exists():
            assert core.load_case(folder).key == cases[1].key
        elif not whole:
            with pytest.raises(InputError, match=r"must be a folder with case\.toml"):
                core.load_case(folder)
        n += 1
    assert n > 5


def test_a_process_that_is_killed_as_it_saves_leaves_the_old_case(
    cases: tuple[core.Case, core.Case], tmp_path: Path
) -> None:
    old, new = cases
    old.save(tmp_path / "old")
    new.save(tmp_path / "new")
    program = """
        import os, signal, sys
        import core

        replace, done = os.replace, []

        def killed_at_the_third(*paths):
            if len(done) == 2:
                os.kill(os.getpid(), signal.SIGKILL)
            done.append(replace(*paths))

        new, os.replace = core.load_case(sys.argv[2]), killed_at_the_third
        new.save(sys.argv[1])
        """
    command = [sys.executable, "-c", dedent(program), str(tmp_path / "old"), str(tmp_path / "new")]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    assert core.load_case(tmp_path / "old").key == old.key
