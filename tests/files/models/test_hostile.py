import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_hostile_files_run_nothing_and_are_refused_within_limits(tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    done = subprocess.run(
        [sys.executable, ROOT / "tests" / "files" / "models" / "hostile.py", canary],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert [name for name, said in found["said"].items() if not said.startswith("refused: ")] == []
    assert len(found["said"]) >= 60
    assert not canary.exists()
    assert max(found["seconds"].values()) < 60
    assert found["kilobytes"] < 2 << 20
