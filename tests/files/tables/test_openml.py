"""OpenML by name, from files as openml.org would send them, in scikit-learn's folder of what was fetched."""

from __future__ import annotations

import gzip
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

import core
from core.errors import InputError, LimitError
from core.files.tables.limits import Limits

ARFF = """@RELATION people
@ATTRIBUTE 'age group' {'18-30', 'over 30'}
@ATTRIBUTE code {1, 2}
@ATTRIBUTE income NUMERIC
@ATTRIBUTE n INTEGER
@DATA
'18-30',1,1.5,3
'over 30',2,?,4
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    data = ARFF.encode()
    kinds = [("age group", "nominal"), ("code", "nominal"), ("income", "numeric"), ("n", "numeric")]
    features = [
        {
            "index": str(place), "name": name, "data_type": kind, "is_target": str(name == "code").lower(),
            "is_ignore": "false", "is_row_identifier": "false", "number_of_missing_values": "0",
        }
        for place, (name, kind) in enumerate(kinds)
    ]  # fmt: skip
    about = {
        "id": "7", "name": "people", "version": "1", "format": "ARFF", "status": "active", "file_id": "70",
        "url": "https://openml.org/data/v1/download/70/people.arff", "md5_checksum": hashlib.md5(data).hexdigest(),  # noqa: S324
        "description": "made for a test",
    }  # fmt: skip
    answers: dict[str, Any] = {
        "api/v1/json/data/list/data_name/people/limit/2/status/active/": {
            "data": {"dataset": [{"did": 7, "name": "people", "version": 1, "status": "active", "format": "ARFF"}]}
        },
        "api/v1/json/data/7": {"data_set_description": about},
        "api/v1/json/data/features/7": {"data_features": {"feature": features}},
        "api/v1/json/data/qualities/7": {"data_qualities": {"quality": [{"name": "NumberOfInstances", "value": "2"}]}},
    }
    files = {path: json.dumps(answer).encode() for path, answer in answers.items()}
    files["data/v1/download/70/people.arff"] = data
    for path, content in files.items():
        place = tmp_path / "openml" / "openml.org" / f"{path}.gz"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(gzip.compress(content))
    return tmp_path


def test_a_data_set_by_name(folder: Path) -> None:
    table = core.read_openml("people", folder=folder)
    assert table.frame["age group"].tolist() == ["18-30", "over 30"]
    assert table.frame["code"].tolist() == ["1", "2"]
    assert table.frame["income"].isna().tolist() == [False, True]
    assert table.notes[0] == "'people', version 1 of OpenML; it calls 'code' its target."
    with pytest.raises(LimitError, match="has 2 rows of 4 columns"):
        core.read_openml("people", folder=folder, limits=Limits(max_cells=3))


def test_a_name_is_asked_for() -> None:
    with pytest.raises(InputError, match="must be named"):
        core.read_openml(" ")
