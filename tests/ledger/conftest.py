"""Ledgers to try, on SQLite and on a real PostgreSQL server."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

import core
from tests.conftest import make_pipeline_for, make_table

URL = "REDRESS_TEST_POSTGRESQL"
DEBIAN = Path("/usr/lib/postgresql")
MEMORY = Path("/dev/shm")  # noqa: S108
THREE = ["Person-train-0007", "Person-train-0200", "Person-train-0311"]
FOURTH = "Person-train-0400"


@pytest.fixture
def quick(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory where there is such a thing: what is killed is the process, not the machine."""
    folder = Path(tempfile.mkdtemp(prefix="redress-", dir=MEMORY if MEMORY.is_dir() else tmp_path))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def keys(quick: Path) -> Path:
    return quick / "keys"


@pytest.fixture
def ledger(tmp_path: Path, keys: Path) -> core.Ledger:
    return core.Ledger(f"sqlite:///{tmp_path}/redress.db", keys=keys)


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """Address of a PostgreSQL database: the one named, or one of Debian's package, started on loopback for these tests."""
    if os.environ.get(URL):
        yield os.environ[URL]
        return
    found = sorted(DEBIAN.glob("*/bin/initdb"))
    if not found:
        pytest.skip(f"PostgreSQL is not installed, and {URL} names no database")
    as_root = os.getuid() == 0
    folder = Path(tempfile.mkdtemp(prefix="redress-pg-"))
    user = {"user": "postgres"} if as_root else {}
    try:
        if as_root:
            shutil.chown(folder, "postgres")
        port = _free_port()
        run = [str(found[-1].parent / "pg_ctl"), "-D", str(folder / "data"), "-w", "-s", "-l", str(folder / "log")]
        subprocess.run(
            [found[-1], "-D", folder / "data", "-U", "redress", "-A", "trust", "--no-sync", "-E", "UTF8"],
            check=True, capture_output=True, cwd=folder, **user,
        )  # fmt: skip
        options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off"
        subprocess.run([*run, "-o", options, "start"], check=True, capture_output=True, cwd=folder, **user)
        try:
            yield f"postgresql://redress@127.0.0.1:{port}/postgres"
        finally:
            subprocess.run([*run, "-m", "immediate", "stop"], check=True, capture_output=True, cwd=folder, **user)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, quick: Path) -> str:
    """Address of an empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{quick}/redress.db"
    address = str(request.getfixturevalue("server"))
    engine = sa.create_engine(address.replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as connection:
        connection.execute(sa.text("DROP TABLE IF EXISTS redress_entries, redress_head"))
    engine.dispose()
    return address


@pytest.fixture(scope="session")
def lending() -> core.Case:
    """A case of 800 training people and 700 test people with names that are found nowhere else."""
    train, test = (make_table(rows, seed) for rows, seed in ((800, 1), (700, 2)))
    for part, table in (("train", train), ("test", test)):
        table["person"] = [f"Person-{part}-{number:04}" for number in range(len(table))]
    roles = core.Roles("granted", 1, 1, ["sex", "age"], record_id="person", bins={"age": [30, 50]})
    return core.Case(make_pipeline_for(train), train=train, test=test, roles=roles)


@pytest.fixture(scope="session")
def removal(lending: core.Case) -> core.UnlearnResult:
    """Three people removed."""
    return core.unlearn(lending, THREE)


@pytest.fixture(scope="session")
def written(removal: core.UnlearnResult, tmp_path_factory: pytest.TempPathFactory) -> core.Ledger:
    """A ledger of two entries, to be read only: a removal with its proof, and another from its result."""
    folder = tmp_path_factory.mktemp("written")
    ledger = core.Ledger(f"sqlite:///{folder}/redress.db", keys=folder / "keys")
    ledger.append(removal, actor="Ada", reason="request 17", proof=core.retrain_gap(removal.case))
    ledger.append(core.unlearn(removal.case, [FOURTH]), actor="Ben", reason="request 18")
    return ledger
