import importlib.util
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

import dev
from tests.conftest import COMPILES_TREES, TREES

Calls = list[list[str]]


@pytest.fixture
def checkout(tmp_path: Path) -> dev.Environment:
    (tmp_path / "requirements.txt").write_text("# nothing to install\n")
    return dev.Environment(tmp_path)


@pytest.fixture
def installs(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Replace making and installing by files alone, and return the steps taken."""
    steps: list[str] = []

    def make(self: dev.Environment) -> None:
        steps.append("make")
        self.python.parent.mkdir(parents=True, exist_ok=True)
        self.installing.unlink(missing_ok=True)
        if not self.python.exists():
            self.python.symlink_to(sys.executable)

    real_run = subprocess.run

    def run(command: list[str], **settings: object) -> object:
        if "install" in command:
            steps.append("install")
            return subprocess.CompletedProcess(command, 0)
        return real_run(command, **settings)  # type: ignore[call-overload]

    monkeypatch.setattr(dev.Environment, "make", make)
    monkeypatch.setattr(dev.subprocess, "run", run)
    return steps


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Calls:
    """Record the commands that would run; those with 'mypy' in them fail."""
    made: Calls = []

    def call(command: list[object], **settings: str) -> int:
        made.append([str(part) for part in command])
        return 1 if "mypy" in made[-1] else 0

    monkeypatch.setattr(dev, "call", call)
    monkeypatch.setattr(dev.Environment, "ready", lambda _: Path("python"))
    return made


def test_a_new_checkout_gets_a_working_environment(checkout: dev.Environment) -> None:
    python = checkout.ready()
    assert subprocess.run([python, "-m", "pip", "--version"], check=True, capture_output=True).stdout
    assert checkout.installed.is_file()
    assert not checkout.installing.exists()


def test_installs_once_per_lock(checkout: dev.Environment, installs: list[str]) -> None:
    checkout.ready()
    checkout.ready()
    assert installs == ["make", "install"]
    checkout.lock.write_text("# another lock\n")
    checkout.ready()
    checkout.ready()
    assert installs == ["make", "install", "install"]


def test_takes_over_an_environment_made_by_hand(checkout: dev.Environment, installs: list[str]) -> None:
    checkout.python.parent.mkdir(parents=True)
    checkout.python.symlink_to(sys.executable)
    checkout.ready()
    assert installs == ["install"]


def test_an_interrupted_installation_is_made_anew(
    checkout: dev.Environment, installs: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    checkout.ready()
    checkout.installing.touch()
    checkout.ready()
    assert installs == ["make", "install", "make", "install"]
    assert "did not finish" in capsys.readouterr().out
    assert not checkout.installing.exists()


def test_of_two_commands_at_once_one_waits(checkout: dev.Environment, installs: list[str]) -> None:
    fcntl = pytest.importorskip("fcntl")
    with checkout.lock.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        second = threading.Thread(target=checkout.ready)
        second.start()
        second.join(0.3)
        assert installs == []
    second.join()
    assert installs == ["make", "install"]


def test_a_failed_installation_is_not_taken_for_a_finished_one(
    checkout: dev.Environment, installs: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    checkout.ready()
    checkout.lock.write_text("# another lock\n")
    with monkeypatch.context() as patch:
        succeed = dev.subprocess.run
        patch.setattr(
            dev.subprocess,
            "run",
            lambda command, **settings: (
                subprocess.CompletedProcess(command, 1) if "install" in command else succeed(command, **settings)
            ),
        )
        with pytest.raises(dev.StopError, match="pip stopped"):
            checkout.ready()
    checkout.ready()
    assert installs == ["make", "install", "make", "install"]


def test_a_broken_python_is_replaced(checkout: dev.Environment, installs: list[str]) -> None:
    checkout.python.parent.mkdir(parents=True)
    checkout.python.write_text("#!/bin/sh\nexit 1\n")
    checkout.python.chmod(0o755)
    checkout.ready()
    assert installs == ["make", "install"]


@pytest.mark.parametrize("missing", ["venv", "ensurepip"])
def test_says_what_a_bare_debian_lacks(
    checkout: dev.Environment, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    find: Callable[..., object] = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == missing else find(name))
    with pytest.raises(dev.StopError, match=rf"needs Python's {missing}, .* apt-get install python3-venv"):
        checkout.ready()
    assert not checkout.folder.exists()


def test_run_serves_the_dashboard_as_the_installed_command_does(calls: Calls) -> None:
    assert dev.main(["run", "--port", "9000", "--server.headless=true"]) == 0
    assert calls == [["python", "-m", "core", "run", "--port", "9000", "--server.headless=true"]]


def test_test_passes_its_arguments_on(calls: Calls, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dev, "chromium", lambda: "/usr/bin/chromium")
    assert dev.main(["test", "tests/metrics", "-q"]) == 0
    assert calls == [["python", "-m", "pytest", "tests/metrics", "-q"]]


def test_test_leaves_the_browser_out_and_says_so(
    calls: Calls, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(dev, "chromium", lambda: None)
    dev.main(["test"])
    assert calls == [["python", "-m", "pytest", "-m", "not browser", *dev.spread_out(os.cpu_count() or 1)[0]]]
    assert "SKIPPED: the browser tests" in capsys.readouterr().out


@pytest.mark.parametrize(("processors", "workers", "threads"), [(1, "1", "1"), (2, "2", "1"), (12, "4", "3")])
def test_processes_share_the_processors_unless_told_otherwise(
    processors: int, workers: str, threads: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    spread, settings = dev.spread_out(processors)
    assert spread[:2] == ["-n", workers]
    assert settings == {"OMP_NUM_THREADS": threads}
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    assert dev.spread_out(processors)[1] == {"OMP_NUM_THREADS": "7"}


def test_a_file_that_compiles_the_kernels_of_trees_comes_first_and_the_others_of_trees_last(
    request: pytest.FixtureRequest,
) -> None:
    paths = [item.path for item in request.session.items]
    others = [bool(TREES.search(path.read_text("utf-8"))) for path in dict.fromkeys(paths) if path != COMPILES_TREES]
    assert others == sorted(others)
    assert COMPILES_TREES.is_file()
    assert COMPILES_TREES not in paths[paths.count(COMPILES_TREES) :]


def test_check_runs_everything_and_names_what_failed(calls: Calls, capsys: pytest.CaptureFixture[str]) -> None:
    assert dev.main(["check"]) == 1
    assert len(calls) == 6
    assert ["-m", "checks"] in [call[1:] for call in calls]
    assert capsys.readouterr().out.endswith("Failed: mypy\n")


def test_bench_lists_runs_and_offers_the_nearest_name(
    calls: Calls, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "benchmarks"
    folder.mkdir()
    (folder / "bench_audit.py").write_text('"""How fast is an audit?\n\nMore.\n"""\n')
    monkeypatch.setattr(dev, "ROOT", tmp_path)
    assert dev.main(["bench"]) == 0
    assert capsys.readouterr().out.split(maxsplit=1) == ["audit", "How fast is an audit?\n"]
    assert dev.main(["bench", "bench_audit.py", "--rows=9"]) == 0
    assert calls == [["python", str(folder / "bench_audit.py"), "--rows=9"]]
    assert dev.main(["bench", "audti"]) == 2
    assert "Got 'audti'; try audit." in capsys.readouterr().out


def test_docs_takes_a_warning_for_a_failure(calls: Calls, capsys: pytest.CaptureFixture[str]) -> None:
    assert dev.main(["docs"]) == 0
    assert calls[0][1:5] == ["-m", "sphinx", "-W", "--keep-going"]
    assert capsys.readouterr().out.strip().endswith("docs/_build/index.html")
    assert dev.main(["docs", "html"]) == 2


def test_names_the_commands_when_given_another(capsys: pytest.CaptureFixture[str]) -> None:
    assert dev.main(["tset"]) == 2
    assert "run, test, check, bench, docs" in capsys.readouterr().out


def test_refuses_an_old_python(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(dev, "OLDEST_PYTHON", (99, 0))
    assert dev.main(["check"]) == 2
    assert "needs Python 99.0 or newer" in capsys.readouterr().out
