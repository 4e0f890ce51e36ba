"""Serving the dashboard: where it listens, whom it answers, and which settings it runs with wherever it is started."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import nullcontext, suppress
from pathlib import Path

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect

from core.command_line import run
from core.command_line.main import main
from core.command_line.terminal import BadArgumentError

ROOT = Path(__file__).resolve().parents[2]
# Started from outside the checkout, as an installed command is, with a Python that finds the package all the same.
COMMAND = [sys.executable, "-c", "import sys; from core.command_line.main import main; sys.exit(main())", "run"]
SETTINGS = {
    "server.address": "127.0.0.1",
    "server.allowedHosts": ["127.0.0.1", "localhost"],
    "server.enableCORS": True,
    "server.enableXsrfProtection": True,
    "server.xsrfCookieSameSite": "strict",
    "server.fileWatcherType": "none",
    "browser.gatherUsageStats": False,
    "client.showErrorDetails": "type",
}


@pytest.fixture
def busy_port() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Record what Streamlit would be started with; kernels are not compiled."""
    made: list[list[str]] = []

    def streamlit(arguments: list[str]) -> int:
        made.append(arguments)
        return 3

    monkeypatch.setattr(run, "_streamlit", streamlit)
    monkeypatch.setattr(run, "compiling_ahead", nullcontext)
    return made


def test_takes_the_next_free_port(busy_port: int) -> None:
    assert busy_port < run.free_port("127.0.0.1", busy_port) < busy_port + run.PORTS_TRIED


@pytest.mark.parametrize("address", ["192.0.2.1", "no such host"])
def test_refuses_an_address_of_another_machine(address: str) -> None:
    with pytest.raises(BadArgumentError, match="one of this machine's addresses"):
        run.free_port(address, 8501)


def test_starts_streamlit_on_this_machine_alone(
    started: list[list[str]], busy_port: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", "--port", str(busy_port), "--server.headless=true"]) == 3
    (arguments,) = started
    port = next(part for part in arguments if part.startswith("--server.port=")).removeprefix("--server.port=")
    assert int(port) != busy_port
    assert arguments[:2] == ["run", str(ROOT / "dashboard" / "app.py")]
    assert "--server.address=127.0.0.1" in arguments
    assert "--server.headless=true" in arguments
    assert not any("allowedHosts" in part for part in arguments)
    assert f"http://127.0.0.1:{port}" in capsys.readouterr().out


def test_answers_to_any_host_name_when_opened_to_others(started: list[list[str]]) -> None:
    main(["run", "--address", "0.0.0.0"])  # noqa: S104
    assert "--server.allowedHosts=*" in started[0]


def test_kernels_are_compiled_meanwhile_and_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    compilers: list[subprocess.Popen[bytes]] = []
    real = subprocess.Popen

    def start(command: list[str], **settings: object) -> object:
        assert "main(['kernels'])" in command[2]
        compilers.append(real([sys.executable, "-c", "import time; time.sleep(60)"], **settings))  # type: ignore[call-overload]
        return compilers[0]

    monkeypatch.setattr(run.subprocess, "Popen", start)
    with run.compiling_ahead():
        assert compilers[0].poll() is None
    assert compilers[0].returncode


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What a server started outside the checkout gets as its environment."""
    home = tmp_path_factory.mktemp("home")
    return {**os.environ, "PYTHONPATH": str(ROOT), "REDRESS_HOME": str(home), "HOME": str(home)}


def test_settings_are_read_wherever_the_server_is_started(elsewhere: dict[str, str]) -> None:
    asked = (
        "import json\nfrom streamlit import config\nfrom streamlit.web import bootstrap\nfrom core.command_line.main import main\n"
        f"bootstrap.run = lambda *_: print(json.dumps({{name: config.get_option(name) for name in {list(SETTINGS)}}}))\n"
        "main(['run'])"
    )
    ran = subprocess.run(
        [sys.executable, "-c", asked], cwd="/", env=elsewhere, capture_output=True, text=True, check=True
    )
    assert json.loads(ran.stdout.splitlines()[-1]) == SETTINGS


@pytest.fixture(scope="module")
def server(elsewhere: dict[str, str]) -> Iterator[int]:
    """The port of a server started from the root of the file system."""
    port = run.free_port("127.0.0.1", 18_500)
    command = [*COMMAND, "--port", str(port), "--server.headless=true"]
    with subprocess.Popen(command, cwd="/", env=elsewhere, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert f"http://127.0.0.1:{port} " in process.stdout.readline()
        for _ in range(600):
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                break
            time.sleep(0.1)
        try:
            yield port
        finally:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=60)  # Streamlit does not stop where it cannot say so


def ask(port: int, path: str, method: str = "GET", **headers: str) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
    return connection.getresponse()


def test_the_server_answers(server: int) -> None:
    assert ask(server, "/_stcore/health").status == 200


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="lists what listens where on Linux alone")
def test_the_server_listens_on_this_machine_alone(server: int) -> None:
    listening = [
        line.split() for name in ("tcp", "tcp6") for line in Path("/proc/net", name).read_text().splitlines()[1:]
    ]
    places = {place for _, place, _, state, *_ in listening if state == "0A" and int(place.split(":")[1], 16) == server}
    assert places == {f"0100007F:{server:04X}"}


def stream(port: int, host: str) -> ClientConnection:
    """Open what a page opens to its server, by a name for this machine."""
    return connect(
        f"ws://{host}:{port}/_stcore/stream", sock=socket.create_connection(("127.0.0.1", port)), max_size=None
    )


def test_the_server_answers_to_no_other_host_name(server: int) -> None:
    with stream(server, "localhost"):
        pass
    with pytest.raises(InvalidStatus, match="403"):
        stream(server, "elsewhere.example")


def test_the_server_lets_no_other_site_read(server: int) -> None:
    found = ask(server, "/_stcore/health", Origin="http://elsewhere.example")
    assert found.getheader("Access-Control-Allow-Origin") in (None, f"http://127.0.0.1:{server}")


def test_the_server_takes_no_upload_without_the_sites_own_token(server: int) -> None:
    assert ask(server, "/_stcore/upload_file/session/file", "PUT").status == 403
    cookie = ask(server, "/_stcore/health").getheader("Set-Cookie") or ""
    assert cookie.startswith("_streamlit_xsrf=")
    assert "samesite=strict" in cookie.lower()


def test_the_server_tells_the_browser_to_report_nothing(server: int) -> None:
    with stream(server, "127.0.0.1") as page:
        page.send(BackMsg(rerun_script=ClientState()).SerializeToString())
        messages = (ForwardMsg.FromString(page.recv(timeout=60, decode=False)) for _ in range(20))
        first = next(message for message in messages if message.WhichOneof("type") == "new_session")
    assert not first.new_session.config.gather_usage_stats
