"""A case saved after removals goes on, once read back, as if it had not been saved; damaged files are told apart from good ones."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from sklearn.tree import DecisionTreeClassifier

import core
from core.case.prepared import SavedState
from core.errors import InputError, LimitError, NotSupportedError
from core.families.forest.points import state_of
from core.families.forest.tree import first_difference
from core.families.forest.unlearner import Forest
from core.files.cases.saved_state import read_arrays
from tests.conftest import forget_digests, make_table

NUMBERS = ["age", "income", "debt"]
TRAIN, TEST = (make_table(rows, seed).dropna().reset_index(drop=True) for rows, seed in ((400, 51), (200, 52)))
ROLES = core.Roles("granted", 1, 1, ["sex"], record_id="person")


def make_case(model, features=NUMBERS, train=TRAIN, **options):
    fitted = model.fit(train[features], train["granted"], **options)
    roles = ROLES.with_(sample_weight="weight") if options else ROLES
    return core.Case(fitted, train=train, test=TEST, roles=roles)


def one_hot():
    columns = make_column_transformer((OneHotEncoder(), ["sex", "job"]), remainder="passthrough")
    return make_pipeline(columns, RandomForestClassifier(3, random_state=0))


WEIGHTED = TRAIN.assign(weight=1.0 + np.arange(len(TRAIN)) % 2)
CASES = {
    "forest": lambda: make_case(RandomForestClassifier(5, random_state=0)),
    "no bootstrap": lambda: make_case(RandomForestClassifier(3, random_state=0, bootstrap=False, max_features=1)),
    "class weights": lambda: make_case(RandomForestClassifier(3, random_state=0, class_weight={0: 1, 1: 3})),
    "tree": lambda: make_case(DecisionTreeClassifier(random_state=0, max_features=2)),
    "tree without a seed": lambda: make_case(DecisionTreeClassifier()),
    "weighted tree": lambda: make_case(
        DecisionTreeClassifier(random_state=0, max_features=2), train=WEIGHTED, sample_weight=WEIGHTED["weight"]
    ),
    "pipeline": lambda: make_case(one_hot(), ["sex", "job", "income", "debt"]),
}


def assert_same_trees(one, other):
    assert one.model.get_params().keys() == other.model.get_params().keys()
    for tree, twin in zip(state_of(one).trees, state_of(other).trees, strict=True):
        assert first_difference(tree.grown, twin.grown) == -1
        assert np.array_equal(tree.marks.origin, twin.marks.origin)
    assert np.array_equal(one.scores("test"), other.scores("test"))


@pytest.mark.parametrize("name", CASES)
def test_a_case_saved_after_removals_goes_on_as_if_it_had_not_been(name, tmp_path):
    case = CASES[name]()
    draw = np.random.default_rng(0)
    first = core.unlearn(case, draw.choice(case.record_ids, 40, replace=False), method="forest").case
    ids = draw.choice(first.retained_ids, 60, replace=False)
    through = core.unlearn(first, ids, method="forest")
    first.save(tmp_path / "one")
    loaded = core.load_case(tmp_path / "one")
    assert isinstance(loaded.prepared.kept, SavedState)
    loaded.save(tmp_path / "two")
    again = core.load_case(tmp_path / "two")
    assert core.check_provenance(again).status == "verified"
    result = core.unlearn(again, ids)
    assert (result.method, result.notes) == ("forest", through.notes)
    assert_same_trees(result.case, through.case)
    result.case.save(tmp_path / "two")
    last = core.prepare(core.load_case(tmp_path / "two"))
    assert_same_trees(last, through.case)
    assert last.n_retained == len(TRAIN) - 100


def test_nothing_is_kept_of_rows_that_were_forgotten(tmp_path):
    case = CASES["forest"]()
    gone = np.arange(0, 400, 7)[:40]
    after = core.unlearn(case, case.record_ids[gone], method="forest").case
    after.save(tmp_path)
    arrays = read_arrays(tmp_path / "state.npz", "state")
    drawn = np.stack([np.bincount(rows, minlength=len(TRAIN)) for rows in case.model.estimators_samples_])
    assert np.array_equal(arrays["tree_weights"], drawn[:, after.retained])
    assert not {"_sample_weight", "_n_samples"} & set(vars(core.load_model(tmp_path / "model.skops")))
    core.unlearn(after, after.retained_ids[:1], method="refit").case.save(tmp_path)
    assert not (tmp_path / "state.npz").exists()
    assert core.load_case(tmp_path).prepared.kept is None


def broken(name):
    def at(key, index, value):
        def edit(arrays):
            arrays[key] = arrays[key].astype(np.int64)
            arrays[key][index] = value

        return edit

    def replaced(key, make):
        return lambda arrays: arrays.update({key: make(arrays[key])})

    return {
        "another version": at("format", (), 9),
        "an array is missing": lambda arrays: arrays.pop("draws_features"),
        "an array too many": lambda arrays: arrays.update(more=np.zeros(3)),
        "a row less": replaced("tree_weights", lambda kept: kept[:, 1:]),
        "negative weights": replaced("tree_weights", lambda kept: -kept.astype(np.int16)),
        "huge weights": replaced("tree_weights", lambda kept: kept.astype(np.uint32) << 24),
        "an empty tree": replaced("tree_weights", lambda kept: kept * np.array([[0], [1], [1], [1], [1]], np.uint8)),
        "other weights": replaced("tree_weights", lambda kept: kept[:, ::-1]),
        "a child far away": at("draws_left", 0, 10**6),
        "a child before its parent": at("draws_right", 0, 0),
        "half a split": at("draws_right", 0, -1),
        "a feature that is none": at("draws_features", 0, 3),
        "a negative feature": at("draws_features", 0, -1),
        "a feature twice": lambda arrays: at("draws_features", 1, arrays["draws_features"][0])(arrays),
        "draws from the end to the start": at("draws_first", 1, 10**6),
        "a draw less": lambda arrays: arrays.update(draws_features=arrays["draws_features"][:-1]),
        "ends that fall": at("ends_left", 0, 10**6),
        "real numbers": replaced("draws_left", lambda kept: kept.astype(float)),
        "a table": replaced("draws_left", lambda kept: kept.reshape(-1, 1)),
        "other draws": replaced("draws_seed", lambda kept: kept[:-1]),
    }[name]


DAMAGES = (
    "another version", "an array is missing", "an array too many", "a row less", "negative weights", "huge weights",
    "an empty tree", "other weights", "a child far away", "a child before its parent", "half a split",
    "a feature that is none", "a negative feature", "a feature twice", "draws from the end to the start", "a draw less",
    "ends that fall", "real numbers", "a table", "other draws",
)  # fmt: skip


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("saved")
    case = CASES["forest"]()
    core.unlearn(case, case.record_ids[:30], method="forest").case.save(folder)
    return folder


@pytest.mark.parametrize("name", DAMAGES)
def test_damaged_arrays_are_refused_and_the_removal_done_by_refit(saved, name):
    loaded = core.load_case(saved)
    arrays = dict(loaded.prepared.kept.values)
    broken(name)(arrays)
    case = loaded.keeping(SavedState("forest", arrays))
    with pytest.raises(NotSupportedError, match=r"cannot be used, as|do not give the fitted trees"):
        Forest().prepare(case)
    result = core.unlearn(case, case.retained_ids[:2])
    assert result.method == "refit"
    assert any("Not done by forest" in note for note in result.notes)


def test_files_that_are_no_plain_arrays_are_refused(saved, tmp_path):
    case = core.load_case(saved)
    case.save(tmp_path)
    with pytest.raises(LimitError, match=r"at most 1 kB once unzipped. Got .* kB in 'state.npz'"):
        read_arrays(tmp_path / "state.npz", "state.file", 1024)
    contents = {
        "objects": lambda path: np.savez(path, kept=np.array([{"a": 1}], dtype=object)),
        "texts": lambda path: np.savez(path, kept=np.array(["a"])),
        "no archive": lambda path: path.write_bytes(b"PK nothing"),
        "cut short": lambda path: path.write_bytes((saved / "state.npz").read_bytes()[:500]),
        "missing": lambda path: path.unlink(),
    }
    for write in contents.values():
        write(tmp_path / "state.npz")
        with pytest.raises(InputError, match=r"state\.npz"):
            core.load_case(tmp_path)
    text = (tmp_path / "case.toml").read_text()
    (tmp_path / "case.toml").write_text(text.replace('file = "state.npz"', 'file = "../state.npz"'))
    with pytest.raises(InputError, match="file beside it"):
        core.load_case(tmp_path)
    (tmp_path / "case.toml").write_text(text.replace('kind = "forest"', "kind = 3"))
    with pytest.raises(InputError, match="must be a name"):
        core.load_case(tmp_path)


def test_another_model_in_the_folder_is_noticed(saved, tmp_path):
    core.load_case(saved).save(tmp_path)
    core.save_model(
        RandomForestClassifier(5, random_state=1).fit(TRAIN[NUMBERS], TRAIN["granted"]), tmp_path / "model.skops"
    )
    with pytest.raises(InputError, match=r"'model\.skops' is damaged or another"):
        core.load_case(tmp_path)
    forget_digests(tmp_path)
    with pytest.raises(NotSupportedError, match="tree 0 differs first at node 0"):
        Forest().prepare(core.load_case(tmp_path))


class CancelledError(Exception):
    """Raised to stop."""


@pytest.mark.parametrize("kept", [False, True], ids=["fitted", "saved"])
def test_progress_comes_after_every_tree_in_the_callers_thread_and_can_cancel(saved, kept):
    import threading

    case = core.load_case(saved) if kept else CASES["forest"]()
    fresh = case.keeping(case.prepared.kept)
    seen, threads = [], set()

    def report(share, what):
        seen.append((share, what))
        threads.add(threading.current_thread())

    prepared = []
    thread = threading.Thread(target=lambda: prepared.append(core.prepare(case, progress=report)))
    thread.start()
    thread.join()
    assert threads == {thread}
    assert [what.split(": ")[-1] for _, what in seen[1:]] == [f"{tree} of 5" for tree in range(1, 6)]
    assert [share for share, _ in seen] == sorted(share for share, _ in seen)
    assert seen[-1][0] == 1.0
    assert len(state_of(prepared[0]).trees) == 5

    def stop(share, what):
        if "2 of 5" in what:
            raise CancelledError

    with pytest.raises(CancelledError):
        core.prepare(fresh, progress=stop)
    assert "forest" not in fresh.prepared
    assert_same_trees(core.prepare(fresh), prepared[0])
