"""Evidence from a shell: a removal written down, exported, verified, replayed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from core.command_line.main import main
from tests.ledger.conftest import THREE, lending  # noqa: F401


@pytest.fixture(scope="module")
def folder(lending: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:  # noqa: F811
    """A folder with a case, a ledger of one removal from it, and a pack."""
    place = tmp_path_factory.mktemp("shell")
    lending.save(place / "case")
    (place / "list.csv").write_text("person\n" + "\n".join(THREE))
    where = ["--ledger", f"sqlite:///{place}/redress.db", "--keys", str(place / "keys")]
    said = ["--actor", "Ada", "--reason", "requests of May"]
    assert main(["unlearn", str(place / "case"), "--forget", str(place / "list.csv"), *where, *said]) == 0
    assert main(["evidence", *where, "--case", str(place / "case"), "--out", str(place / "evidence.zip")]) == 0
    return place


def fingerprint(folder: Path, capsys: pytest.CaptureFixture[str]) -> str:
    where = ["--ledger", f"sqlite:///{folder}/redress.db", "--keys", str(folder / "keys")]
    assert main(["evidence", *where, "--out", str(folder / "again.zip"), "--json"]) == 0
    return str(json.loads(capsys.readouterr().out)["fingerprint"])


def test_a_pack_is_verified_in_a_process_that_has_nothing_else(folder: Path, tmp_path: Path) -> None:
    pack = tmp_path / "pack.zip"
    pack.write_bytes((folder / "evidence.zip").read_bytes())
    command = "import sys; sys.path[:] = %r; from core.command_line.main import main; sys.exit(main(sys.argv[1:]))"
    ran = subprocess.run(
        [sys.executable, "-c", command % sys.path, "verify-evidence", str(pack)],
        cwd=tmp_path, capture_output=True, text=True, check=False, env={"HOME": str(tmp_path), "PATH": "/usr/bin"},
    )  # fmt: skip
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "intact, signer not established" in ran.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["pack.zip"]


def test_a_fingerprint_settles_who_signed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pack = str(folder / "evidence.zip")
    signer = fingerprint(folder, capsys)
    assert main(["verify-evidence", pack, "--fingerprint", signer]) == 0
    assert ": intact\n" in capsys.readouterr().out
    assert main(["verify-evidence", pack, "--fingerprint", "ab" * 32, "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["status"] == "broken"
    assert "signed by another key" in found["broken"][0]


def test_a_broken_pack_has_a_status_of_its_own(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = bytearray((folder / "evidence.zip").read_bytes())
    content[len(content) // 2] ^= 4
    (tmp_path / "changed.zip").write_bytes(content)
    assert main(["verify-evidence", str(tmp_path / "changed.zip"), "--replay", str(folder / "case")]) == 1
    assert "was changed at byte" in capsys.readouterr().out
    for wrong in (["none.zip"], [str(folder / "evidence.zip"), "--fingerprint", "12"], []):
        assert main(["verify-evidence", *wrong]) == 2
        assert capsys.readouterr().err.startswith("error: ")


def test_a_replay_compares_every_figure(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call = ["verify-evidence", str(folder / "evidence.zip"), "--replay", str(folder / "case")]
    assert main([*call, "--keys", str(folder / "keys")]) == 0
    assert "every figure is the same" in capsys.readouterr().out
    assert main([*call, "--keys", str(folder / "none")]) == 2
    assert "key that hides ids" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--ledger", "sqlite:///redress.db"], "must come with --actor and --reason"),
        (["--actor", "Ada"], "must come with --ledger"),
        (["--ledger", "redress.db", "--actor", "Ada", "--reason", "x"], "sqlite:///redress.db"),
    ],
)
def test_a_removal_is_not_begun_that_cannot_be_written_down(
    folder: Path, more: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["unlearn", str(folder / "case"), "--ids", THREE[0], *more]) == 2
    assert said in capsys.readouterr().err
