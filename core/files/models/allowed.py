"""Which types a model file may contain; whatever is not listed here is refused by name.

The list is closed and lives here: it does not grow with what the installed skops happens to trust. A type is listed when
rebuilding it runs no code from the file, and when using it cannot reach files, the network, or memory outside its arrays,
given the checks in `core.files.models.content`. Left out on purpose, though skops trusts or can trust them:

- text vectorizers, which can be told to treat table cells as names of files to read;
- `operator.methodcaller`, `functools.partial` and bound methods, which call what the file names;
- sparse matrices, whose member is an archive of its own with its own sizes;
- nearest neighbours and support vector machines, whose compiled code indexes by stored numbers unchecked;
- `numpy.random.RandomState`, whose stored position is used unchecked, except where GradientBoostingClassifier keeps one.
"""

from __future__ import annotations

from collections.abc import Mapping

_NUMBERS = ("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float32", "float64")

_ESTIMATORS = {
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
    "sklearn.linear_model._base": ("LinearRegression",),
    "sklearn.linear_model._logistic": ("LogisticRegression", "LogisticRegressionCV"),
    "sklearn.linear_model._perceptron": ("Perceptron",),
    "sklearn.linear_model._ridge": ("Ridge", "RidgeClassifier", "RidgeClassifierCV"),
    "sklearn.linear_model._stochastic_gradient": ("SGDClassifier",),
    "sklearn.naive_bayes": ("BernoulliNB", "CategoricalNB", "ComplementNB", "GaussianNB", "MultinomialNB"),
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
    "sklearn._loss.link": ("HalfLogitLink", "Interval", "LogitLink", "MultinomialLogit"),
    "sklearn._loss.loss": ("ExponentialLoss", "HalfBinomialLoss", "HalfMultinomialLoss"),
}

_LOSSES = {
    "sklearn._loss._loss": ("CyExponentialLoss", "CyHalfBinomialLoss", "CyHalfMultinomialLoss"),
    "sklearn.linear_model._sgd_fast": ("Hinge", "ModifiedHuber", "SquaredHinge"),
}


def _names(table: Mapping[str, tuple[str, ...]]) -> frozenset[str]:
    return frozenset(f"{module}.{name}" for module, names in table.items() for name in names)


ALLOWED: Mapping[str, frozenset[str]] = {
    "DictNode": frozenset({"builtins.dict", "collections.OrderedDict", "sklearn.utils._bunch.Bunch"}),
    "ListNode": frozenset({"builtins.list"}),
    "SetNode": frozenset({"builtins.set"}),
    "TupleNode": frozenset({"builtins.tuple"}),
    "SliceNode": frozenset({"builtins.slice"}),
    "JsonNode": frozenset({"builtins.str"}),
    "TypeNode": frozenset(
        {f"builtins.{name}" for name in ("bool", "float", "int", "object", "str")}
        | {f"numpy.{name}" for name in (*_NUMBERS, "number", "integer", "floating", "object_", "str_")}
    ),
    "FunctionNode": frozenset(
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
    ),
    "NdArrayNode": frozenset({"numpy.ndarray", "numpy.str_"} | {f"numpy.{name}" for name in _NUMBERS}),
    "DTypeNode": frozenset({"numpy.dtype"}),
    "RandomGeneratorNode": frozenset({"numpy.random._generator.Generator"}),
    "RandomStateNode": frozenset({"numpy.random.mtrand.RandomState"}),
    "TreeNode": frozenset({"sklearn.tree._tree.Tree"}),
    "LossNode": _names(_LOSSES),
    "ObjectNode": _names(_ESTIMATORS),
}
"""For each of skops' loaders, the types it may build."""

TRUSTED_BEYOND_SKOPS = frozenset(
    {
        "builtins.object",
        "fairlearn.postprocessing._interpolated_thresholder.InterpolatedThresholder",
        "fairlearn.postprocessing._threshold_operation.ThresholdOperation",
        "fairlearn.postprocessing._threshold_optimizer.ThresholdOptimizer",
        "numpy.dtype",
        "numpy.floating",
        "numpy.integer",
        "numpy.number",
        "sklearn.calibration._CalibratedClassifier",
        "sklearn.calibration._SigmoidCalibration",
        "sklearn.compose._column_transformer.make_column_selector",
        "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
        "sklearn.tree._tree.Tree",
        "sklearn.utils._bunch.Bunch",
    }
)
"""Types that skops asks about and that are allowed here, their content being checked."""

WHOLE_SEED = "give random_state as a whole number, fit again and save it"

WAY_OUT: Mapping[str, str] = {
    "GridSearchCV": "save its best_estimator_ instead",
    "RandomizedSearchCV": "save its best_estimator_ instead",
    "HalvingGridSearchCV": "save its best_estimator_ instead",
    "FixedThresholdClassifier": "save its estimator_ and give the threshold as a number",
    "TunedThresholdClassifierCV": "save its estimator_ and give the threshold as a number",
    "check_array": "encode categories in a pipeline before HistGradientBoostingClassifier",
}
"""What to do about a refused type, where there is a short answer."""
