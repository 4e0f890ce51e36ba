import pytest

from core.errors import InputError
from core.files.dropped import Dropped, sort_dropped

CSV = b"a,b\n1,2\n"
PICKLE = b"\x80\x04\x95"


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ([("model.pkl", PICKLE), ("scaler.pkl", PICKLE), ("train.csv", CSV), ("test.csv", CSV)], Dropped(2, 3, (0, 1))),
        ([("adult_test.csv", CSV * 9), ("adult.csv", CSV)], Dropped(1, 0, ())),
        ([("a.csv", CSV), ("b.csv", CSV * 9)], Dropped(1, 0, ())),
        ([("X_train.parquet", b"PAR1"), ("latest.csv", CSV * 9)], Dropped(0, 1, ())),
        ([("holdout.csv", CSV)], Dropped(None, 0, ())),
        (
            [("loans", CSV), ("classifier", PICKLE), ("train.csv.gz", b"\x1f\x8b"), ("m.joblib", CSV)],
            Dropped(2, 0, (1, 3)),
        ),
        (
            [("train.csv", CSV), ("lgb.txt", b"tree\nversion=v4\n"), ("rows.txt", CSV), ("xgb.json", b'{"learner"')],
            Dropped(0, 2, (1, 3)),
        ),
        ([], Dropped(None, None, ())),
    ],
)
def test_files_are_told_by_name_and_then_by_first_bytes(files: list[tuple[str, bytes]], told: Dropped) -> None:
    assert sort_dropped(files) == told


def test_three_tables_are_refused_by_name() -> None:
    with pytest.raises(InputError, match=r"Got 3: 'train\.csv', 'test\.csv', 'val\.csv'; give those two"):
        sort_dropped([("train.csv", CSV), ("test.csv", CSV), ("val.csv", CSV)])
