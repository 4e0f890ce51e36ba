"""Make the model files that tests open; run by hand, once with each scikit-learn: python make.py.

Writes VERSION.tar.xz beside itself: every kind of model as pickle, joblib and, where skops is installed, skops file, with the scores that it gave
here for the rows of `scored()`. Protocols of pickle and ways of packing change from kind to kind. Run by an interpreter that has scikit-learn
1.0 to 1.9, numpy, pandas and joblib, and nothing of this project.
"""

import io
import json
import pickle
import sys
import tarfile
import warnings
from contextlib import suppress
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import sklearn
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis, QuadraticDiscriminantAnalysis
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import (
    AdaBoostClassifier,
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    VotingClassifier,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import (
    LogisticRegression,
    LogisticRegressionCV,
    Perceptron,
    RidgeClassifier,
    RidgeClassifierCV,
    SGDClassifier,
)
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import BernoulliNB, CategoricalNB, ComplementNB, GaussianNB, MultinomialNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    KBinsDiscretizer,
    LabelEncoder,
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
)
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier, ExtraTreeClassifier

NUMBERS = ["income", "debt", "age", "years"]
WORDS = ["branch", "job"]
VERSION = ".".join(sklearn.__version__.split(".")[:2])
MINOR = int(VERSION.split(".")[1])
PACKING = [0, ("zlib", 3), ("gzip", 3), ("bz2", 3), ("xz", 3), ("lzma", 3)]


def table():
    """Return 160 rows: four numbers, two words, and labels of two and of three classes."""
    random = np.random.RandomState(7)
    n = 160
    frame = pd.DataFrame(
        {
            "income": random.normal(3000, 600, n).round(),
            "debt": random.normal(0, 1, n).round(3),
            "age": random.randint(18, 80, n).astype(float),
            "years": random.randint(0, 12, n).astype(float),
            "branch": random.choice(["north", "south", "west"], n).astype(object),
            "job": random.choice(["cook", "clerk", "driver", "none"], n).astype(object),
        }
    )
    z = (frame["income"] - 3000) / 500 - frame["debt"] + (frame["branch"] == "north") + random.normal(0, 0.7, n)
    return frame, (z > 0.3).astype(int), np.digitize(z, [-0.6, 0.9])


def scored():
    """Return the rows that the scores are of."""
    return table()[0].iloc[:40]


def prepared(last):
    """Return a pipeline for mixed columns."""
    words = make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore"))
    numbers = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    return make_pipeline(ColumnTransformer([("number", numbers, NUMBERS), ("word", words, WORDS)]), last)


def many_steps(last):
    """Return a pipeline that has one of each other step."""
    steps = [
        ("kept", "passthrough", ["age"]),
        ("least", MinMaxScaler(), ["income"]),
        ("robust", RobustScaler(), ["debt"]),
        ("bins", KBinsDiscretizer(3, encode="onehot-dense", strategy="uniform"), ["years"]),
        ("power", PowerTransformer(), ["income", "age"]),
        ("quantile", QuantileTransformer(n_quantiles=20), ["debt"]),
        ("products", PolynomialFeatures(2), ["debt", "years"]),
        ("log", FunctionTransformer(np.log1p), ["income"]),
        ("ordinal", OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1), ["branch"]),
        ("one", OneHotEncoder(drop="first", **({"sparse": False} if MINOR < 2 else {"sparse_output": False})), ["job"]),
        ("most", make_pipeline(MaxAbsScaler(), Normalizer()), make_column_selector(dtype_include=np.number)),
        ("union", FeatureUnion([("a", StandardScaler()), ("b", MinMaxScaler())]), ["age", "years"]),
    ]
    return make_pipeline(ColumnTransformer(steps, sparse_threshold=0), last)


def target_encoded(last):
    """Return a pipeline that encodes words by the labels of their rows."""
    from sklearn.preprocessing import TargetEncoder

    steps = [("number", StandardScaler(), NUMBERS), ("word", TargetEncoder(random_state=0), WORDS)]
    return make_pipeline(ColumnTransformer(steps), last)


def logistic_kinds():
    """Yield name, model, columns and number of classes."""
    old = {} if MINOR >= 8 else {"multi_class": "multinomial"}
    yield "logistic", LogisticRegression(max_iter=500), NUMBERS, 2
    yield "logistic_unnamed", LogisticRegression(max_iter=500), NUMBERS, 2
    yield "logistic_words", LogisticRegression(max_iter=500, class_weight={"granted": 2.0}), NUMBERS, 2
    yield (
        "logistic_unpenalised",
        LogisticRegression(max_iter=300, C=np.inf)
        if MINOR >= 8
        else LogisticRegression(max_iter=300, penalty="none" if MINOR < 2 else None),
        ["debt"],
        2,
    )
    yield (
        "logistic_l1",
        make_pipeline(
            StandardScaler(),
            LogisticRegression(solver="liblinear", **({"l1_ratio": 1.0} if MINOR >= 8 else {"penalty": "l1"})),
        ),
        NUMBERS,
        2,
    )
    yield "logistic_three", make_pipeline(StandardScaler(), LogisticRegression()), NUMBERS, 3
    yield "logistic_prepared", prepared(LogisticRegression(class_weight="balanced")), NUMBERS + WORDS, 2
    yield "logistic_many_steps", many_steps(LogisticRegression(max_iter=2000)), NUMBERS + WORDS, 2
    yield "logistic_cv", make_pipeline(StandardScaler(), LogisticRegressionCV(Cs=3, cv=3)), NUMBERS, 2
    if old:
        yield "logistic_two_by_softmax", make_pipeline(StandardScaler(), LogisticRegression(**old)), NUMBERS, 2
        yield "logistic_one_vs_rest", make_pipeline(StandardScaler(), LogisticRegression(multi_class="ovr")), NUMBERS, 3
        yield (
            "logistic_liblinear_three",
            make_pipeline(StandardScaler(), LogisticRegression(solver="liblinear")),
            NUMBERS,
            3,
        )


def tree_kinds():
    """Yield name, model, columns and number of classes."""
    yield "tree_words", DecisionTreeClassifier(max_depth=3, random_state=0), NUMBERS, 2
    yield "tree", DecisionTreeClassifier(max_depth=4, random_state=0), NUMBERS, 2
    yield "tree_weighted", DecisionTreeClassifier(max_depth=3, class_weight="balanced", random_state=0), NUMBERS, 3
    yield "extra_tree", ExtraTreeClassifier(max_depth=4, random_state=0), NUMBERS, 2
    yield "forest", RandomForestClassifier(5, max_depth=4, n_jobs=2, random_state=0), NUMBERS, 2
    yield "forest_out_of_bag", RandomForestClassifier(12, max_depth=3, oob_score=True, random_state=1), NUMBERS, 3
    yield "forest_half", RandomForestClassifier(4, max_samples=0.5, max_depth=3, random_state=0), NUMBERS, 2
    yield "forest_balanced", RandomForestClassifier(4, class_weight="balanced", max_depth=3, random_state=0), NUMBERS, 2
    yield (
        "forest_class_weight",
        RandomForestClassifier(4, class_weight={0: 1, 1: 3}, max_depth=3, random_state=0),
        NUMBERS,
        2,
    )
    yield (
        "forest_random_state",
        RandomForestClassifier(3, max_depth=3, random_state=np.random.RandomState(0)),
        NUMBERS,
        2,
    )
    yield "forest_prepared", prepared(RandomForestClassifier(4, max_depth=4, random_state=0)), NUMBERS + WORDS, 2
    yield "extra_trees", ExtraTreesClassifier(5, max_depth=4, random_state=0), NUMBERS, 2


def boosting_kinds():
    """Yield name, model, columns and number of classes."""
    yield "gradient_boosting", GradientBoostingClassifier(n_estimators=5, random_state=0), NUMBERS, 2
    yield (
        "gradient_boosting_three",
        GradientBoostingClassifier(n_estimators=3, subsample=0.7, random_state=0),
        NUMBERS,
        3,
    )
    yield (
        "gradient_boosting_exponential",
        GradientBoostingClassifier(n_estimators=3, loss="exponential", init="zero", random_state=0),
        NUMBERS,
        2,
    )
    yield "hist_boosting", HistGradientBoostingClassifier(max_iter=6, max_leaf_nodes=8, random_state=0), NUMBERS, 2
    yield "hist_boosting_three", HistGradientBoostingClassifier(max_iter=3, max_leaf_nodes=6), NUMBERS, 3
    yield (
        "ada_boost",
        AdaBoostClassifier(n_estimators=4, random_state=0, **({"algorithm": "SAMME"} if MINOR < 6 else {})),
        NUMBERS,
        2,
    )
    if MINOR < 6:
        yield "ada_boost_samme_r", AdaBoostClassifier(n_estimators=4, algorithm="SAMME.R", random_state=0), NUMBERS, 2


def other_kinds():
    """Yield name, model, columns and number of classes."""
    log = "log" if MINOR < 1 else "log_loss"
    bins = KBinsDiscretizer(3, encode="ordinal", strategy="uniform")
    parts = [
        ("a", LogisticRegression(max_iter=500)),
        ("b", GaussianNB()),
        ("c", DecisionTreeClassifier(max_depth=2, random_state=0)),
    ]
    yield "gaussian_nb", GaussianNB(), NUMBERS, 2
    yield "multinomial_nb", make_pipeline(MinMaxScaler(), MultinomialNB()), NUMBERS, 3
    yield "bernoulli_nb", make_pipeline(OneHotEncoder(handle_unknown="ignore"), BernoulliNB()), WORDS, 2
    yield "complement_nb", make_pipeline(MinMaxScaler(), ComplementNB()), NUMBERS, 2
    yield "categorical_nb", make_pipeline(bins, CategoricalNB(min_categories=3)), NUMBERS, 2
    yield "lda", LinearDiscriminantAnalysis(), NUMBERS, 2
    yield "lda_three", LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto"), NUMBERS, 3
    yield "qda", QuadraticDiscriminantAnalysis(), NUMBERS, 2
    yield "ridge", make_pipeline(StandardScaler(), RidgeClassifier()), NUMBERS, 2
    yield "ridge_cv", make_pipeline(SimpleImputer(add_indicator=True), RidgeClassifierCV()), NUMBERS, 2
    if MINOR >= 3:
        yield "target_encoder", target_encoded(LogisticRegression()), NUMBERS + WORDS, 2
    yield "sgd", make_pipeline(StandardScaler(), SGDClassifier(loss=log, random_state=0)), NUMBERS, 2
    yield "sgd_hinge", make_pipeline(StandardScaler(), SGDClassifier(random_state=0)), NUMBERS, 2
    yield "perceptron", make_pipeline(StandardScaler(), Perceptron(random_state=0)), NUMBERS, 2
    yield "neighbors", make_pipeline(StandardScaler(), KNeighborsClassifier(5)), NUMBERS, 2
    yield "calibrated", CalibratedClassifierCV(GaussianNB(), cv=3), NUMBERS, 2
    yield "calibrated_isotonic", CalibratedClassifierCV(GaussianNB(), method="isotonic", cv=3), NUMBERS, 2
    yield (
        "calibrated_forest",
        CalibratedClassifierCV(RandomForestClassifier(3, max_depth=3, random_state=0), cv=2),
        NUMBERS,
        3,
    )
    yield "voting", VotingClassifier(parts, voting="soft"), NUMBERS, 2
    yield "dummy", DummyClassifier(strategy="prior"), NUMBERS, 2
    yield (
        "search",
        GridSearchCV(RandomForestClassifier(3, max_depth=3, random_state=0), {"max_depth": [2, 3]}, cv=2),
        NUMBERS,
        2,
    )
    yield "svc", make_pipeline(StandardScaler(), SVC(probability=True, random_state=0)), NUMBERS, 2


def parts():
    """Yield name and object of what people save beside a bare model."""
    frame, two, _ = table()
    yield "scaler", StandardScaler().fit(frame[NUMBERS])
    yield "encoders", {name: LabelEncoder().fit(frame[name]) for name in WORDS}
    yield "encoder", OneHotEncoder(handle_unknown="ignore").fit(frame[WORDS])
    yield "label_encoder", LabelEncoder().fit(np.where(two, "granted", "refused"))
    yield "feature_list", list(NUMBERS)
    yield "unfitted", RandomForestClassifier(7, min_samples_leaf=3)


def packed(name, thing, number):
    """Yield the files of one object: name and bytes."""
    yield name + ".pickle", pickle.dumps(thing, protocol=number % 6)
    out = io.BytesIO()
    # Few are packed: those are what takes room here.
    joblib.dump(thing, out, compress=PACKING[number // 4 % 6] if number % 4 == 0 else 0, protocol=number % 5 + 1)
    yield name + ".joblib", out.getvalue()
    try:
        from skops.io import dumps
    except ImportError:
        return
    with suppress(Exception):  # of what skops cannot write there is no file
        yield name + ".skops", dumps(thing)


def fitted():
    """Yield name, fitted model, columns and number of classes."""
    frame, two, three = table()
    for name, model, columns, classes in [*logistic_kinds(), *tree_kinds(), *boosting_kinds(), *other_kinds()]:
        labels = two if classes == 2 else three
        if name.endswith("_words"):
            labels = np.where(two, "granted", "refused").astype(object)
        rows = frame[columns].to_numpy() if name.endswith("_unnamed") else frame[columns]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield name, model.fit(rows, labels), columns, classes


def main(folder):
    """Write one archive."""
    scores = {}
    with tarfile.open(folder / (VERSION + ".tar.xz"), "w:xz", preset=9) as archive:

        def add(name, data):
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))

        for number, (name, model, columns, classes) in enumerate(fitted()):
            rows = scored()[columns]
            rows = rows.to_numpy() if name.endswith("_unnamed") else rows
            one = model.predict_proba(rows) if hasattr(model, "predict_proba") else model.decision_function(rows)
            predicted = model.predict(rows).tolist()
            scores[name] = {"columns": columns, "classes": classes, "scores": one.tolist(), "predict": predicted}
            for file, data in packed(name, model, number):
                add(file, data)
        for number, (name, thing) in enumerate(parts()):
            for file, data in packed(name, thing, number):
                add(file, data)
        add("scores.json", json.dumps({"version": sklearn.__version__, "models": scores}).encode())


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
