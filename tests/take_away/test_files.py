"""Files that are taken away, opened again by the library itself."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import core
from core.take_away.files import cleaned_table, ids_survive_csv, model_file, removed_ids, table_file


@pytest.fixture(scope="module")
def changed(small_case: core.Case) -> core.Case:
    return core.unlearn(small_case, small_case.record_ids[[3, 5, 8]]).case


@pytest.mark.parametrize("kind", ["skops", "joblib"])
def test_a_model_taken_away_scores_as_before(changed: core.Case, kind: str) -> None:
    again = core.load_model(model_file(changed, kind))  # type: ignore[arg-type]
    X = changed.test[changed.model.feature_names_in_]
    assert np.array_equal(again.predict_proba(X), changed.model.predict_proba(X))


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_the_cleaned_table_reads_back_with_the_same_ids(changed: core.Case, kind: str) -> None:
    back = core.read_table(table_file(cleaned_table(changed), kind)).frame  # type: ignore[arg-type]
    name = changed.roles.record_id or "record"
    assert pd.Index(back[name]).equals(pd.Index(changed.retained_ids, name=name))
    assert len(back) == changed.n_retained
    ids = core.read_ids(changed, table_file(removed_ids(changed)))
    assert sorted(ids.forgotten) == sorted(changed.forgotten_ids)
    assert not ids.unknown


def test_no_cell_starts_a_formula_and_ids_that_a_csv_changes_are_told() -> None:
    table = pd.DataFrame({"id": ["=1+1", "b"], "note": ["@x", "-y"], "n": [-1, 2]})
    text = table_file(table).decode()
    assert text == "id,note,n\n'=1+1,'@x,-1\nb,'-y,2\n"
    same = (["a", "b"], ["=1", "-b"], ["007", "008"], [1.5, 2.0], [3, 4])
    for ids, safe in [*((ids, True) for ids in same), (["7", "8"], False), (["1.50", "2"], False)]:
        assert ids_survive_csv(pd.Index(ids)) is safe, ids
        back = core.read_table(table_file(pd.DataFrame({"id": ids, "x": [1, 2]}))).frame["id"]
        assert (back.tolist() == ids) is safe
