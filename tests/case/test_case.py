"""What a case checks at the door, shares with its successors, and says about its rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

import core
from core.errors import InputError, InputTypeError
from tests.conftest import make_pipeline_for, make_table

TRAIN, TEST = make_table(400, 31), make_table(300, 32)
MODEL = make_pipeline_for(TRAIN)
ROLES = core.Roles("granted", 1, 1, ["sex", "age"], record_id="person")


def refused(
    message: str, *, error: type[Exception] = InputError, model=MODEL, train=TRAIN, test=TEST, roles=ROLES, **options
) -> None:
    with pytest.raises(error, match=message):
        core.Case(model, train, test, roles, **options)


def _filled(frame):
    return frame.fillna(frame.median())


class TestAtTheDoor:
    def test_label_column_missing(self):
        refused(
            "label column must be in the training table.*Did you mean 'granted'", roles=ROLES.with_(target="grantd")
        )

    def test_label_with_one_class(self):
        refused("at least two classes", train=TRAIN.assign(granted=1))

    def test_label_the_model_never_saw(self):
        refused(r"class the model knows.*2", test=TEST.assign(granted=TEST["granted"].where(TEST.index > 3, 2)))

    def test_missing_labels(self):
        refused("4 of 300 in the test table have none", test=TEST.assign(granted=TEST["granted"].where(TEST.index > 3)))

    def test_positive_label_unknown(self):
        refused("pos_label must be a class", roles=ROLES.with_(pos_label="yes"))

    def test_sensitive_feature_with_one_value(self):
        refused("at least two groups. 'sex' has only 'f'", train=TRAIN.assign(sex="f"), test=TEST.assign(sex="f"))

    def test_sensitive_feature_with_500_values(self):
        many = [f"town {number % 500}" for number in range(400)]
        refused(
            "at most 50 groups. 'town'",
            train=TRAIN.assign(town=many),
            test=TEST.assign(town=many[:300]),
            roles=ROLES.with_(sensitive_features=["town"]),
        )

    def test_sensitive_feature_unknown(self):
        refused("sensitive feature must be in the training table", roles=ROLES.with_(sensitive_features=["gender"]))

    def test_columns_the_model_needs(self):
        refused(
            "Every column the model needs must be in the test table. It lacks 'income'.*Did you mean 'incme'",
            test=TEST.rename(columns={"income": "incme"}),
        )

    def test_duplicate_ids(self):
        refused("Record ids must be unique.*'p0'", train=TRAIN.assign(person=TRAIN["person"].replace("p1", "p0")))

    def test_empty_ids(self):
        refused(
            "Every record must have an id. 1 cells", train=TRAIN.assign(person=TRAIN["person"].where(TRAIN.index > 0))
        )

    def test_duplicate_columns(self):
        refused("Column names must be unique", train=pd.concat([TRAIN, TRAIN[["sex"]]], axis=1))

    def test_empty_tables(self):
        refused("must have rows", test=TEST.iloc[:0])
        refused("must be a pandas DataFrame", train=TRAIN.to_numpy(), error=InputTypeError)

    def test_unfitted_model(self):
        refused("must be fitted", model=LogisticRegression())
        refused("must be a fitted classifier", model="model", error=InputTypeError)

    def test_features_in_another_order(self):
        refused(
            "must equal the model's own columns", roles=ROLES.with_(features=["age", "sex", "income", "debt", "job"])
        )

    def test_unnamed_model_needs_the_list(self):
        bare = LogisticRegression().fit(TRAIN[["age", "debt"]].to_numpy(), TRAIN["granted"])
        refused("needs exactly 2 columns", model=bare)
        case = core.Case(bare, TRAIN, TEST, ROLES.with_(features=["age", "debt"]))
        assert case.features == ("age", "debt")
        assert core.unlearn(case, ["p1"]).method == "newton"

    @pytest.mark.filterwarnings("ignore:invalid value")
    @pytest.mark.parametrize(
        ("taken", "rest", "message"),
        [
            (
                ["age"],
                "drop",
                r"'granted' is among .*takes only 'age'\. Fit the pipeline again on a table of just these",
            ),
            (["age", "granted"], "drop", "takes 'age', 'granted', so that it predicts the label from itself"),
            (["age"], "passthrough", "takes 'age', 'debt', 'granted', so that it predicts the label from itself"),
            (None, None, r"'granted' is among 'age', 'debt', 'granted'\. Fit it again without that column"),
        ],
    )
    def test_a_model_fitted_on_the_label(self, taken, rest, message):
        steps = [] if taken is None else [make_column_transformer((StandardScaler(), taken), remainder=rest)]
        model = make_pipeline(*steps, LogisticRegression())
        refused(message, model=model.fit(TRAIN[["age", "debt", "granted"]], TRAIN["granted"]))

    def test_the_label_in_the_list_of_features(self):
        unnamed = LogisticRegression().fit(TRAIN[["age", "granted"]].to_numpy(), TRAIN["granted"])
        refused("features names 'granted'; leave it out", model=unnamed, roles=ROLES.with_(features=["age", "granted"]))

    def test_infinite_scores(self):
        wild = RidgeClassifier().fit(TRAIN[["age", "debt"]], TRAIN["granted"])
        wild.coef_ = wild.coef_ * np.inf
        refused("Every score must be finite", model=wild)

    def test_rows_the_model_cannot_score(self):
        plain = LogisticRegression().fit(TRAIN[["age", "debt"]], TRAIN["granted"])
        refused(
            "must be able to score every row.*NaN",
            model=plain,
            test=TEST.assign(debt=TEST["debt"].where(TEST.index > 3)),
        )

    @pytest.mark.parametrize(
        ("value", "says"),
        [(np.nan, "contains NaN"), (np.inf, "contains infinity"), ("text", "could not convert string")],
    )
    @pytest.mark.parametrize("bare", [True, False])
    def test_training_cells_the_model_cannot_read(self, value, says, bare):
        columns = ["age", "debt"]
        model = LogisticRegression() if bare else make_pipeline(StandardScaler(), LogisticRegression())
        spoiled = TRAIN.assign(debt=TRAIN["debt"].astype(object).where(TRAIN.index != 7, value))
        refused(
            rf"Record 'p7' has {value!r} in 'debt': .*{says}.*\. Mend such cells, leave their records out, or give the table the model",
            model=model.fit(TRAIN[columns], TRAIN["granted"]),
            train=spoiled,
        )

    def test_numbers_too_large_for_trees(self):
        model = RandomForestClassifier(2, random_state=0).fit(TRAIN[["age", "debt"]], TRAIN["granted"])
        spoiled = TRAIN.assign(debt=TRAIN["debt"].where(TRAIN.index != 7, 1e39))
        refused(r"Record 'p7' has 1e\+39 in 'debt': .*float32", model=model, train=spoiled)

    @pytest.mark.parametrize(("unknown", "status"), [("emperor", "mismatch"), (3.5, "unverifiable")])
    def test_categories_the_model_cannot_read(self, unknown, status):
        columns = make_column_transformer((OneHotEncoder(), ["job"]), remainder="passthrough")
        model = make_pipeline(columns, LogisticRegression()).fit(TRAIN[["job", "debt"]], TRAIN["granted"])
        spoiled = TRAIN.assign(job=TRAIN["job"].astype(object).where(TRAIN.index != 7, unknown))
        refused(f"Record 'p7' has {unknown!r} in 'job': Found unknown categories", model=model, train=spoiled)
        lenient = make_column_transformer((OneHotEncoder(handle_unknown="ignore"), ["job"]), remainder="passthrough")
        model = make_pipeline(lenient, LogisticRegression()).fit(TRAIN[["job", "debt"]], TRAIN["granted"])
        case = core.Case(model, spoiled, TEST, ROLES)
        assert core.check_provenance(case).status == status  # text beside numbers cannot be encoded again at all

    def test_text_that_a_row_kept_for_confirming_has_too(self):
        columns = ["age", "debt"]
        model = RandomForestClassifier(2, random_state=0).fit(TRAIN[columns], TRAIN["granted"])
        train, test = (table.assign(debt=table["debt"].astype(object)) for table in (TRAIN, TEST[:200]))
        late = TEST[200:].assign(debt=TEST["debt"][200:].astype(object).where(TEST.index[200:] != 205, "?"))
        train.loc[7, "debt"] = "?"
        refused(r"Record 'p7' has '\?' in 'debt'", model=model, train=train, test=test, test_confirm=late)
        train.loc[7, "debt"] = 10**400
        refused("Record 'p7' has 1000", model=model, train=train, test=test)

    def test_steps_that_fill_cells_from_other_rows(self):
        columns = ["age", "debt"]
        model = make_pipeline(FunctionTransformer(_filled), LogisticRegression()).fit(TRAIN[columns], TRAIN["granted"])
        core.Case(model, TRAIN.assign(debt=TRAIN["debt"].where(TRAIN.index != 7)), TEST, ROLES)

    def test_steps_inside_a_search(self):
        columns = make_column_transformer((OneHotEncoder(), ["job"]), remainder="passthrough")
        inner = make_pipeline(columns, LogisticRegression())
        model = CalibratedClassifierCV(inner, cv=2).fit(TRAIN[["job", "debt"]], TRAIN["granted"])
        spoiled = TRAIN.assign(job=TRAIN["job"].where(TRAIN.index != 7, "emperor"))
        refused("Record 'p7' has 'emperor' in 'job': Found unknown", model=model, train=spoiled)

    @pytest.mark.parametrize("retained", [[True], np.zeros(400, dtype=bool), np.arange(400)])
    def test_a_mask_of_retained_rows(self, retained):
        refused("`retained` must say of each of the 400 training rows", retained=retained)

    def test_what_the_model_reads_passes(self):
        columns = ["age", "debt"]
        model = HistGradientBoostingClassifier(max_iter=30).fit(TRAIN[columns], TRAIN["granted"])
        spoiled = TRAIN.assign(
            debt=TRAIN["debt"].where(TRAIN.index > 3, np.inf), age=TRAIN["age"].where(TRAIN.index > 9)
        )
        case = core.Case(model, spoiled, TEST, ROLES)
        found = core.explain_gap(case, max_predicates=1, top_k=1, seconds=1.0)
        assert found.n_tried > 0

    def test_sample_weights(self):
        refused("finite and not negative", train=TRAIN.assign(weight=-1.0), roles=ROLES.with_(sample_weight="weight"))

    @pytest.mark.parametrize("threshold", ["high", np.nan, True])
    def test_threshold(self, threshold):
        refused("threshold must be", threshold=threshold)

    def test_roles_themselves(self):
        with pytest.raises(InputTypeError, match="list of columns"):
            core.Roles("granted", 1, 1, "sex")
        for bins in ({"age": 30}, {"age": ["young"]}, [30, 45]):
            with pytest.raises(InputTypeError, match="must map columns to lists of numbers"):
                core.Roles("granted", 1, 1, ["sex"], bins=bins)
        with pytest.raises(InputError, match="ascend"):
            ROLES.with_(bins={"age": [40, 30]})
        with pytest.raises(InputError, match="at least one"):
            ROLES.with_(sensitive_features=[])
        refused("must be core.Roles", error=InputTypeError, roles={"target": "granted"})
        with pytest.raises(InputError, match="strictly between 0 and 1"):
            core.AtRate("half")


class TestGroups:
    def test_missing_values_are_a_group(self):
        case = core.Case(
            MODEL,
            TRAIN.assign(region=["n", None] * 200),
            TEST.assign(region="n"),
            ROLES.with_(sensitive_features=["region"]),
        )
        assert case.groups("region", "train").names == ("n", "(missing)")

    def test_a_value_called_missing_joins_the_missing_ones(self):
        spoken = TEST.assign(region="(missing)")
        roles = ROLES.with_(sensitive_features=["region"])
        case = core.Case(MODEL, TRAIN.assign(region=["n", None] * 200), spoken, roles)
        assert case.groups("region", "train").names == ("(missing)", "n")
        assert set(case.groups("region", "test").codes) == {0}

    def test_numbers_are_binned_with_the_edges_given(self):
        case = core.Case(MODEL, TRAIN, TEST, ROLES.with_(bins={"age": [30, 60]}))
        groups = case.groups("age", "train")
        assert groups.names == ("under 30", "30 to <60", "60 and over")
        assert np.array_equal(groups.codes, np.digitize(TRAIN["age"], [30, 60]))

    def test_intersections_name_every_combination(self, small_case):
        both = small_case.groups(("sex", "age"), "explore")
        sex, age = small_case.groups("sex", "explore"), small_case.groups("age", "explore")
        assert [both.names[code] for code in both.codes[:50]] == [
            f"{sex.names[a]}, {age.names[b]}" for a, b in zip(sex.codes[:50], age.codes[:50], strict=True)
        ]

    def test_unknown_feature(self, small_case):
        with pytest.raises(InputError, match="Did you mean 'sex'"):
            small_case.groups("sexx")


class TestDecisions:
    def test_no_threshold_decides_as_predict(self, small_case):
        rows = small_case.rows("test")
        assert np.array_equal(small_case.decisions("test"), small_case.model.predict(small_case.X_test.iloc[rows]) == 1)

    def test_ties_follow_the_model(self):
        flat = LogisticRegression().fit(TRAIN[["age"]], TRAIN["granted"])
        flat.coef_[:], flat.intercept_[:] = 0.0, 0.0
        for label in (0, 1):
            case = core.Case(flat, TRAIN, TEST, ROLES.with_(pos_label=label))
            assert np.array_equal(
                case.decisions("explore"), flat.predict(case.X_test.iloc[case.rows("explore")]) == label
            )

    def test_an_alert_capacity_is_never_exceeded(self, small_case):
        for rate in (0.02, 0.5, 0.99):
            flagged = small_case.with_threshold(core.AtRate(rate)).decisions("test")
            assert flagged.sum() == round(rate * len(flagged))

    def test_a_number_flags_scores_equal_to_it(self, small_case):
        at = float(small_case.scores("explore")[0])
        assert small_case.with_threshold(at).decisions("explore")[0]

    def test_favourable_may_be_the_other_label(self):
        fraud = core.Case(MODEL, TRAIN, TEST, ROLES.with_(favorable_label=0))
        assert np.array_equal(fraud.favorable(fraud.decisions("test")), ~fraud.decisions("test"))

    @pytest.mark.parametrize(("positive", "favorable"), [(1, True), (1, 1.0), (True, "1"), (np.int64(1), 1)])
    def test_one_label_written_two_ways_is_one_label(self, positive, favorable):
        case = core.Case(MODEL, TRAIN, TEST, ROLES.with_(pos_label=positive, favorable_label=favorable))
        assert case.favorable_is_positive
        assert np.array_equal(case.favorable(case.y("test")), TEST["granted"] == 1)

    def test_a_list_is_no_label(self):
        refused("pos_label must be a class", roles=ROLES.with_(pos_label=[1]))


class TestSharing:
    def test_removing_copies_no_table(self, small_case):
        after = core.unlearn(small_case, ["p1"]).case
        for part in ("train", "test", "X_train", "X_test"):
            one, other = (getattr(case, part)["income"].to_numpy() for case in (after, small_case))
            assert np.shares_memory(one, other)
        assert small_case.retained.all()
        assert list(after.forgotten_ids) == ["p1"]

    def test_arrays_cannot_be_written(self, small_case):
        for array in (
            small_case.retained,
            small_case.y_train,
            small_case.scores("explore"),
            small_case.groups("sex").codes,
        ):
            with pytest.raises(ValueError, match="read-only"):
                array[0] = array[1]

    def test_a_later_change_of_the_users_table_is_not_seen(self):
        table = TRAIN.copy()
        case = core.Case(MODEL, table, TEST, ROLES)
        table.loc[0, "age"] = -1
        assert case.train.loc[0, "age"] != -1

    def test_ids_are_checked(self, small_case):
        after = core.unlearn(small_case, ["p1"]).case
        for ids, message in (
            (["p1"], "Removed already: 'p1'"),
            (["p2", "p2"], "given once"),
            (["nobody"], "Unknown: 'nobody'"),
            ([3], "are text"),
        ):
            with pytest.raises(InputError, match=message):
                core.unlearn(after, ids)
        many = [*small_case.record_ids[:50], "nobody"]
        with pytest.raises(InputError, match="Unknown: 'nobody'"):
            core.unlearn(small_case, many)

    @pytest.mark.parametrize("ids", [3, None, "p1", [["p1"]]])
    def test_ids_come_as_a_list(self, small_case, ids):
        with pytest.raises(InputTypeError, match="Ids must be"):
            small_case.positions(ids)

    def test_subjects_take_all_their_records(self):
        table = TRAIN.assign(account=TRAIN.index // 4)
        case = core.Case(MODEL, table, TEST, ROLES.with_(subject_id="account"))
        assert core.unlearn(case, [0, 5], by="subject").n_forgotten == 8
        with pytest.raises(InputError, match="Every subject must have a retained record"):
            core.unlearn(case, [1000], by="subject")
        with pytest.raises(InputError, match=r"Roles.subject_id is not set"):
            core.unlearn(core.Case(MODEL, TRAIN, TEST, ROLES), [0], by="subject")

    def test_the_key_follows_model_threshold_and_records(self, small_case):
        others = [
            core.unlearn(small_case, ["p1"]).case,
            small_case.with_threshold(0.4),
            core.Case(MODEL, TRAIN, TEST, ROLES),
        ]
        assert len({case.key for case in [small_case, *others]}) == 4
        assert small_case.key == small_case.replace(small_case.model, small_case.retained.copy()).key


class TestSplits:
    def test_explore_and_confirm_share_no_row(self, small_case):
        explore, confirm = small_case.rows("explore"), small_case.rows("confirm")
        assert np.array_equal(np.sort(np.concatenate([explore, confirm])), small_case.rows("test"))

    def test_both_parts_may_be_handed_in(self):
        case = core.Case(MODEL, TRAIN, TEST.iloc[:100], ROLES, test_confirm=TEST.iloc[100:])
        assert (len(case.rows("explore")), len(case.rows("confirm"))) == (100, 200)

    def test_the_split_may_be_off(self):
        case = core.Case(MODEL, TRAIN, TEST, ROLES, confirm=False)
        assert len(case.rows("explore")) == len(TEST)
        with pytest.raises(InputError, match="has no rows"):
            case.rows("confirm")

    def test_unknown_split(self, small_case):
        with pytest.raises(InputError, match="Did you mean 'explore'"):
            small_case.rows("explre")


def test_what_is_no_case_is_named(small_case: core.Case) -> None:
    result = core.unlearn(small_case, [small_case.record_ids[0]])
    with pytest.raises(InputTypeError, match=r"Got UnlearnResult instead; its \.case is one"):
        core.compare(small_case, result)
    for call in (core.audit, core.influence, lambda value: core.unlearn(value, ["p1"])):
        with pytest.raises(InputTypeError, match=r"Got int instead; make one with core\.Case"):
            call(5)
