"""Which types a model file may contain; whatever is not listed here is refused by name.

The list is closed and lives here: it does not grow with what the installed skops happens to trust. A type is listed when
rebuilding it runs no code from the file, and when using it cannot reach files, the network, or memory outside its arrays,
given the checks in `core.files.models.content`. Left out on purpose, though skops trusts or can trust them:

- text vectorizers, which can be told to treat table cells as names of files to read;
- `operator.methodcaller`, `functools.partial` and bound methods, which call what the file names;
- sparse matrices, whose member is an archive of its own with its own sizes;
- support vector machines, whose compiled code indexes by stored numbers unchecked;
- `numpy.random.RandomState`, whose stored position is used unchecked, except where GradientBoostingClassifier keeps one.
"""

from __future__ import annotations

from collections.abc import Mapping

from core.files.models.arrays import NUMBERS

_CLASSES = {
    "fairlearn.postprocessing._interpolated_thresholder": ("InterpolatedThresholder",),
    "fairlearn.postprocessing._threshold_operation": ("ThresholdOperation",),
    "fairlearn.postprocessing._threshold_optimizer": ("ThresholdOptimizer",),
    "sklearn.calibration": ("CalibratedClassifierCV", "_CalibratedClassifier", "_SigmoidCalibration"),
    "sklearn.compose._column_transformer": ("ColumnTransformer", "make_column_selector"),
    "sklearn.discriminant_analysis": ("LinearDiscriminantAnalysis", "QuadraticDiscriminantAnalysis"),
    "sklearn.dummy": ("DummyClassifier",),
    "sklearn.ensemble._forest": ("ExtraTreesClassifier", "RandomForestClassifier"),
    "sklearn.ensemble._gb": ("GradientBoostingClassifier",),
    "sklearn.ensemble._hist_gradient_boosting.binning": ("_BinMapper",),
    "sklearn.ensemble._hist_gradient_boosting.gradient_boosting": ("HistGradientBoostingClassifier",),
    "sklearn.ensemble._hist_gradient_boosting.predictor": ("TreePredictor",),
    "sklearn.ensemble._voting": ("VotingClassifier",),
    "sklearn.ensemble._weight_boosting": ("AdaBoostClassifier",),
    "sklearn.impute._base": ("MissingIndicator", "SimpleImputer"),
    "sklearn.isotonic": ("IsotonicRegression",),
    "sklearn.linear_model._base": ("LinearRegression",),
    "sklearn.linear_model._logistic": ("LogisticRegression", "LogisticRegressionCV"),
    "sklearn.linear_model._perceptron": ("Perceptron",),
    "sklearn.linear_model._ridge": ("Ridge", "RidgeClassifier", "RidgeClassifierCV"),
    "sklearn.linear_model._stochastic_gradient": ("SGDClassifier",),
    "sklearn.naive_bayes": ("BernoulliNB", "CategoricalNB", "ComplementNB", "GaussianNB", "MultinomialNB"),
    "sklearn.neighbors._classification": ("KNeighborsClassifier",),
    "sklearn.pipeline": ("FeatureUnion", "Pipeline"),
    "sklearn.preprocessing._data": (
        "MaxAbsScaler",
        "MinMaxScaler",
        "Normalizer",
        "PowerTransformer",
        "QuantileTransformer",
        "RobustScaler",
        "StandardScaler",
    ),
    "sklearn.preprocessing._discretization": ("KBinsDiscretizer",),
    "sklearn.preprocessing._encoders": ("OneHotEncoder", "OrdinalEncoder"),
    "sklearn.preprocessing._function_transformer": ("FunctionTransformer",),
    "sklearn.preprocessing._label": ("LabelBinarizer", "LabelEncoder"),
    "sklearn.preprocessing._polynomial": ("PolynomialFeatures",),
    "sklearn.preprocessing._target_encoder": ("TargetEncoder",),
    "sklearn.tree._classes": ("DecisionTreeClassifier", "DecisionTreeRegressor", "ExtraTreeClassifier"),
}

CLASSES: Mapping[str, str] = {f"{module}.{name}": module for module, names in _CLASSES.items() for name in names}
"""The classes that are built, by their full names, with the module that has each."""

_FORMERLY = {
    "numpy.core._multiarray_umath.": "numpy.",
    "numpy._core._multiarray_umath.": "numpy.",
    "_loss.": "sklearn._loss._loss.",
    "sklearn.utils.Bunch": "sklearn.utils._bunch.Bunch",
    "numpy.random._generator.": "numpy.random._pickle.",
    "numpy.random.mtrand.": "numpy.random._pickle.",
}

VALUES = frozenset(
    {f"builtins.{name}" for name in ("bool", "float", "int", "object", "str")}
    | {f"numpy.{name}" for name in (*NUMBERS, "bool_", "number", "integer", "floating", "object_", "str_")}
)
"""Types that may stand as a value, such as what a column selector chooses."""

FUNCTIONS = frozenset(
    f"numpy.{name}"
    for name in (
        "absolute",
        "cbrt",
        "exp",
        "expm1",
        "log",
        "log10",
        "log1p",
        "log2",
        "reciprocal",
        "sign",
        "sqrt",
        "square",
    )
)
"""Functions that may stand as a value, such as what a FunctionTransformer calls."""

LOSSES = frozenset(
    {f"sklearn._loss.loss.{name}" for name in ("ExponentialLoss", "HalfBinomialLoss", "HalfMultinomialLoss")}
    | {f"sklearn._loss._loss.Cy{name}" for name in ("ExponentialLoss", "HalfBinomialLoss", "HalfMultinomialLoss")}
    | {f"sklearn.ensemble._gb_losses.{name}" for name in ("BinomialDeviance", "ExponentialLoss", "MultinomialDeviance")}
    | {f"sklearn.ensemble._hist_gradient_boosting.loss.{n}CrossEntropy" for n in ("Binary", "Categorical")}
    | {f"sklearn.linear_model._sgd_fast.{name}" for name in ("Hinge", "Log", "ModifiedHuber", "SquaredHinge")}
)
"""Losses under every name they have had. None is read: a model makes its own again from its settings."""

TREES = frozenset(
    {
        f"sklearn.neighbors.{name}"
        for name in ("_kd_tree.newObj", "_kd_tree.KDTree", "_ball_tree.newObj", "_ball_tree.BallTree")
    }
)
"""Search trees of neighbours. None is read: each is made again from its rows."""

BOOSTERS: Mapping[str, str] = {
    "xgboost.core.Booster": "xgboost",
    "xgboost.sklearn.XGBClassifier": "xgboost",
    "xgboost.sklearn.XGBRFClassifier": "xgboost",
    "lightgbm.basic.Booster": "lightgbm",
    "lightgbm.sklearn.LGBMClassifier": "lightgbm",
    "catboost.core.CatBoost": "catboost",
    "catboost.core.CatBoostClassifier": "catboost",
}
"""Models of other libraries, which are built from their boosters' own bytes, with the library of each. Nothing else of them is read."""

OTHERS = frozenset(
    {
        "builtins.dict",
        "builtins.slice",
        "collections.OrderedDict",
        "numpy.dtype",
        "numpy.random._pickle.__generator_ctor",
        "numpy.random._pickle.__randomstate_ctor",
        "numpy.random._pickle.Generator",
        "numpy.random._pickle.RandomState",
        "sklearn.compose._column_transformer._RemainderColsList",
        "sklearn.tree._tree.Tree",
        "sklearn.utils._bunch.Bunch",
    }
)
"""What else is built, each by rules of its own."""

CURRENT = 9
PROVEN_SINCE: Mapping[str, int] = {
    **dict.fromkeys((name.rpartition(".")[2] for name in CLASSES), 0),
    "AdaBoostClassifier": 3,  # before, its decision values were half of what they are now
    "TargetEncoder": 3,
    "LinearRegression": CURRENT,
    "Ridge": CURRENT,
}
"""The least 1.x release of scikit-learn from which models of a class are opened: test files of each release since show that their scores are kept."""


def canonical(name: str) -> str:
    """Return the name that a class has today.

    Examples
    --------
    >>> canonical("_loss.CyHalfBinomialLoss"), canonical("sklearn.utils.Bunch")
    ('sklearn._loss._loss.CyHalfBinomialLoss', 'sklearn.utils._bunch.Bunch')
    """
    for former, now in _FORMERLY.items():
        if name.startswith(former):
            return now + name.removeprefix(former)
    return name.replace("__pyx_unpickle_", "") if name.startswith("sklearn._loss._loss.") else name


WHOLE_SEED = "give random_state as a whole number, fit again and save it"

WAY_OUT: Mapping[str, str] = {
    "GridSearchCV": "save its best_estimator_ instead",
    "RandomizedSearchCV": "save its best_estimator_ instead",
    "HalvingGridSearchCV": "save its best_estimator_ instead",
    "FixedThresholdClassifier": "save its estimator_ and give the threshold as a number",
    "TunedThresholdClassifierCV": "save its estimator_ and give the threshold as a number",
    "Pipeline": "save its steps other than resampling in a sklearn.pipeline.Pipeline, which scores alike",
    "check_array": "encode categories in a pipeline before HistGradientBoostingClassifier",
}
"""What to do about a refused type, where there is a short answer."""

NO_OUTCOME: Mapping[str, str] = {
    **dict.fromkeys(
        ("IsolationForest", "OneClassSVM", "SGDOneClassSVM", "LocalOutlierFactor", "EllipticEnvelope"), "finds outliers"
    ),
    **dict.fromkeys(
        ("KMeans", "MiniBatchKMeans", "DBSCAN", "AgglomerativeClustering", "GaussianMixture"), "groups rows"
    ),
}
"""What models do that are fitted without an outcome."""
