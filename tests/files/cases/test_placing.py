"""A save that fails, or is killed, at any change of the disk leaves the old case or the new one."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression

import core
from core.errors import InputError, StorageError
from core.files.cases import storage
from core.files.cases.placing import INTERIM, put_in_place
from core.files.cases.settings import FILE, check_digests, settings_of
from tests.disk import FULL, READ_ONLY, Disk, KilledError

ROLES = core.Roles("granted", 1, 1, ["sex"])
Files = tuple[dict[str, bytes], Callable[[str], str]]


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


@pytest.fixture(scope="module")
def files(cases: tuple[core.Case, core.Case]) -> tuple[Files, Files]:
    first, second = (storage._written(case) for case in cases)
    return first, second


def put(one: Files, folder: Path) -> Path:
    put_in_place(one[0], folder, FILE, one[1], storage.FILES)
    return folder


def held(folder: Path) -> dict[str, bytes]:
    """Return the files of the case that a folder holds by their own names, once each was found to be the one saved."""
    settings = settings_of(folder)
    check_digests(folder, settings["digests"])
    named = {name for name in settings["digests"] if (folder / name).exists()}
    assert named == set(settings["digests"])
    assert {settings["model"]["file"], settings["tables"]["train"], settings["retained"]["rows"]} <= named
    return {name.removeprefix(INTERIM[0]).removeprefix(INTERIM[1]): (folder / name).read_bytes() for name in named}


@pytest.mark.parametrize("failure", [FULL, READ_ONLY, None])
@pytest.mark.parametrize("turn", [1, -1])
def test_a_save_that_stops_at_any_change_leaves_the_old_case_or_the_new(
    files: tuple[Files, Files], failure: int | None, turn: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = files[::turn]
    saved, states, disk = put(old, tmp_path / "old"), [], None
    while disk is None or disk.failed:
        folder = Path(shutil.copytree(saved, tmp_path / f"after {len(states)}"))
        with monkeypatch.context() as patch:
            disk = Disk(patch, folder, failure, len(states))
            try:
                put(new, folder)
                told = False
            except (OSError, KilledError):
                told = True
        states.append(held(folder))
        assert states[-1] in (old[0], new[0])
        if failure is not None:
            assert told == (states[-1] == old[0]), "an error says that the old case is there, and nothing else does"
        # The next save starts from what this one left, whose files may be in use by their other names.
        again = old if len(states) % 2 else new
        assert held(put(again, folder)) == again[0]
        assert {one.name for one in folder.iterdir()} == {FILE, *again[0]}
    assert states == sorted(states, key=[old[0], new[0]].index), "once the new case is there, it stays"
    assert (states[0], states[-1]) == (old[0], new[0])
    assert len(states) > 40


@pytest.mark.parametrize("failure", [FULL, READ_ONLY, None])
def test_a_first_save_that_stops_leaves_a_whole_case_or_none(
    files: tuple[Files, Files], failure: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    n, disk = 0, None
    while disk is None or disk.failed:
        parent = tmp_path / str(n)
        parent.mkdir()
        with monkeypatch.context() as patch:
            disk = Disk(patch, parent, failure, n)
            try:
                put(files[0], parent / "case")
            except (OSError, KilledError):
                assert failure is None or not (parent / "case").exists()
        if (parent / "case").exists():
            assert held(parent / "case") == files[0][0]
        if failure == FULL:
            assert {one.name for one in parent.iterdir()} <= {"case"}
        for left in parent.glob(".saving-*"):  # as it is once nobody can be saving there any more
            os.utime(left, (0, 0))
        put(files[1], parent / "other")
        assert {one.name for one in parent.iterdir()} <= {"case", "other"}
        n += 1
    assert n > 20


def test_every_file_is_safe_on_the_disk_before_a_name_shows_it(
    files: tuple[Files, Files], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        disk = Disk(patch, tmp_path, after=10**6)
        put(files[0], tmp_path / "case")
        put(files[1], tmp_path / "case")
    written, safe = set(), set()
    for name, args, inode in disk.log:
        if name == "write":
            written.add(inode)
            safe.discard(inode)
        elif name == "fsync":
            safe.add(inode)
        elif name == "rename":
            assert written <= safe, "the folder shows all its files at once"
        elif name == "replace":
            assert inode in safe, args
            assert Path(args[1]).name != FILE or written <= safe, "what case.toml names comes before it"


def test_a_save_that_cannot_be_written_is_a_sentence(
    cases: tuple[core.Case, core.Case], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = cases[0].save(tmp_path / "case")

    def refused(act: Callable[[], object], failure: int, after: int) -> str:
        with monkeypatch.context() as patch:
            Disk(patch, tmp_path, failure, after)
            with pytest.raises(StorageError) as found:
                act()
        return str(found.value)

    for failure, words in (
        (FULL, r"No space left.*free some space.*as it was"),
        (READ_ONLY, "Read-only.*make it writable"),
    ):
        for n, folder in ((0, "case"), (5, "case"), (0, "new/case"), (1, "other")):
            told = refused(lambda folder=folder: cases[1].save(tmp_path / folder), failure, n)
            assert re.search(words, told), told
        told = refused(lambda: core.save_model(cases[1].model, tmp_path / "model.skops"), failure, 0)
        assert re.search(words, told), told
    assert core.load_case(place).key == cases[0].key
    left = {one.name for one in tmp_path.iterdir()} - {"case", "new"}
    assert all(name.startswith(".saving-") for name in left), "what a disk that turned read-only keeps"


def test_files_of_two_versions_are_no_case(cases: tuple[core.Case, core.Case], tmp_path: Path) -> None:
    old, new = (case.save(tmp_path / name) for case, name in zip(cases, ("old", "new"), strict=True))
    shutil.copy(new / "model.skops", old / "model.skops")
    with pytest.raises(
        InputError, match=r"'model\.skops' is damaged or another; restore it.*delete its line in \[digests\]"
    ):
        core.load_case(old)
    lines = (old / FILE).read_text().splitlines(keepends=True)
    meant = [line for line in lines if not line.startswith('"model.skops" = ')]
    assert len(meant) == len(lines) - 1
    (old / FILE).write_text("".join(meant).replace('[state]\nkind = "forest"\nfile = "state.npz"\n', ""))
    assert isinstance(core.load_case(old).model, LogisticRegression)


def test_a_case_saved_anew_while_it_is_read_is_read_again(
    cases: tuple[core.Case, core.Case], files: tuple[Files, Files], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, turns, read_table = put(files[0], tmp_path / "case"), [1, 0, 0, 0, 0], storage.read_table

    def overtaken(source: object, part: str) -> object:
        if part == "test" and turns:
            put(files[turns.pop(0)], folder)
        return read_table(source, part)

    monkeypatch.setattr(storage, "read_table", overtaken)
    del turns[1:]
    assert core.load_case(folder).key == cases[1].key
    turns += [0, 1, 0, 1, 0]
    with pytest.raises(InputError, match="must stand still"):
        core.load_case(folder)
