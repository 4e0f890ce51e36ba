"""Sample cases by name."""

from pathlib import Path

import pytest

import core
from core.files.cases.samples import SAMPLES, sample_folders


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_samples_are_opened_by_name_from_anywhere(elsewhere: Path) -> None:
    assert core.load_case("credit").key == core.load_case(SAMPLES / "credit").key


def test_what_the_working_directory_holds_goes_first(elsewhere: Path, small_case: core.Case) -> None:
    small_case.save("credit")
    assert core.load_case("credit").key == core.load_case(elsewhere / "credit").key
    (elsewhere / "fraud").mkdir()
    with pytest.raises(core.RedressError, match="Got a folder without it at 'fraud'"):
        core.load_case("fraud")


def test_an_unknown_name_is_refused_with_the_nearest(elsewhere: Path) -> None:
    with pytest.raises(
        core.RedressError, match=r"one of the samples 'credit', .*\. Got nothing at 'fruad'.* Did you mean 'fraud'\?"
    ):
        core.load_case("fruad")
    with pytest.raises(
        core.RedressError, match=r"must be a folder with case.toml\. Got nothing at 'sample_data/credit'"
    ):
        core.load_case("sample_data/credit")


def test_every_sample_has_what_opens_it() -> None:
    assert list(sample_folders()) == ["credit", "fraud", "hospital", "null", "trap"]
    assert all((folder / "model.skops").is_file() for folder in sample_folders().values())
