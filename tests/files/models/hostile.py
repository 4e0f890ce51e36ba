"""Files that would run code, crash compiled code, or take memory and time without end; run as a script, opens each and prints what came of it."""

import io
import json
import os
import pickle
import resource
import sys
import time
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import skops.io
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, OrdinalEncoder, PolynomialFeatures
from sklearn.tree import DecisionTreeClassifier

from core.errors import RedressError
from core.files.models.models import load_model

ROWS = np.random.default_rng(0).normal(size=(120, 3))
LABELS = (ROWS[:, 0] > 0).astype(int)
WORDS = pd.DataFrame({"a": list("xyz") * 40, "b": list("pq") * 60})


class Runs:
    """Pickles as a call."""

    def __init__(self, *call: Any) -> None:
        self.call = call

    def __reduce__(self) -> Any:
        return self.call[0], tuple(self.call[1:])


def logistic(**attributes: Any) -> Any:
    model = LogisticRegression().fit(ROWS, LABELS)
    vars(model).update(attributes)
    return model


def calls(canary: Path) -> Iterator[tuple[str, bytes]]:
    touch, write = f"touch {canary}", f"open({str(canary)!r}, 'w')"
    for protocol in range(6):
        yield f"os.system {protocol}", pickle.dumps(Runs(os.system, touch), protocol)
        yield f"eval {protocol}", pickle.dumps(logistic(C=Runs(eval, write)), protocol)
    yield "exec in an array", pickle.dumps(logistic(classes_=np.array([0, Runs(exec, write)], dtype=object)))
    yield "getattr", pickle.dumps(logistic(C=Runs(getattr, "a", "upper")))
    out = io.BytesIO()
    joblib.dump(logistic(coef_=np.array([[Runs(os.system, touch)]], dtype=object)), out, compress=3)
    yield "joblib", out.getvalue()
    step = make_pipeline(FunctionTransformer(os.system), LogisticRegression())
    yield "a function in a step", pickle.dumps(step)
    yield "names alone", b"cos\nsystem\n."
    yield "a module of its own", b"cnot_there_at_all\nThing\n)\x81}\x8c\x01aK\x01sb."


def bombs() -> Iterator[tuple[str, bytes]]:
    nest = b"](N" + b"2\x86" * 900 + b"e."
    yield "nested references", nest
    state = pickle.dumps(logistic(tol="HERE"), 4)
    yield "nested references in a model", state.replace(b"\x8c\x04HERE", b"N" + b"2\x86" * 900)
    yield "instructions", b"N0" * 15_000_000 + b"N."
    yield "memo", b"]" + b"\x94" * 6_000_000 + b"."
    yield "lists", b"](" + b"]" * 6_000_000 + b"e."
    yield "packed zeros", zlib.compress(bytes(700 << 20), 1)
    yield "holds itself", b"]\x94h\x00a."
    yield "far array", pickle.dumps(logistic()).replace(b"K\x01K\x03\x86", b"J\xff\xff\xff\x7fJ\xff\xff\xff\x7f\x86")
    yield "empty classes", pickle.dumps(logistic(classes_=np.empty((10**9, 0), dtype=int)))
    yield "extension", b"\x82\x01."
    yield "persistent", b"Pabc\n."
    yield "skops nested references", nested_skops()


def nested_skops() -> bytes:
    """Return a small skops file whose objects refer to one another twice each."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(skops.io.dumps(logistic()))) as old,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        schema = json.loads(old.read("schema.json"))
        node: dict[str, Any] = {
            "__class__": "str",
            "__module__": "builtins",
            "__loader__": "JsonNode",
            "content": "0",
            "__id__": 900,
        }
        again: dict[str, Any] = {"__class__": None, "__module__": None, "__loader__": "CachedNode", "__id__": 900}
        for number in range(40):
            pair = [node, again]
            node = {
                "__class__": "list",
                "__module__": "builtins",
                "__loader__": "ListNode",
                "content": pair,
                "__id__": 901 + number,
            }
            again = {**again, "__id__": 901 + number}
        schema["content"]["content"]["verbose"] = node
        for name in old.namelist():
            new.writestr(name, json.dumps(schema) if name == "schema.json" else old.read(name))
    return out.getvalue()


def forged() -> Iterator[tuple[str, Any]]:
    """Yield models whose numbers compiled code would follow out of its tables, or whose settings never end."""

    def tree(**columns: Any) -> Any:
        model = DecisionTreeClassifier(max_depth=3, random_state=0).fit(ROWS, LABELS)
        state = model.tree_.__getstate__()
        nodes = state["nodes"].copy()
        for name, value in columns.items():
            nodes[name][0] = value
        model.tree_.__setstate__({**state, "nodes": nodes})
        return model

    calibrated = CalibratedClassifierCV(DecisionTreeClassifier(max_depth=2), cv=2).fit(ROWS, LABELS)
    calibrated.calibrated_classifiers_[0].estimator = tree(feature=10**6)
    yield "a column outside, calibrated", calibrated
    yield "a cycle", tree(left_child=0)
    yield "children outside", tree(right_child=10**7)
    yield "a tree elsewhere", logistic(kept_=tree(feature=10**6).tree_)
    counts = DecisionTreeClassifier(max_depth=2).fit(ROWS, LABELS)
    state = counts.tree_.__getstate__()
    counts.tree_.__setstate__({**state, "values": state["values"] * 50})
    yield "counts for shares", counts
    hist = HistGradientBoostingClassifier(max_iter=2).fit(ROWS, LABELS)
    hist._predictors[0][0].nodes["feature_idx"][0] = 10**6
    yield "a column outside, boosted", hist
    hist = HistGradientBoostingClassifier(max_iter=2).fit(ROWS, LABELS)
    hist._bin_mapper.bin_thresholds_ = hist._bin_mapper.bin_thresholds_[:1]
    yield "bins", hist
    forest = RandomForestClassifier(2, max_depth=2).fit(ROWS, LABELS)
    forest._n_samples = 10**12
    yield "rows of a forest", forest
    near = KNeighborsClassifier(3).fit(ROWS, LABELS)
    near._y = near._y + 10**9
    yield "labels of neighbours", near
    yield from forged_steps()


def forged_steps() -> Iterator[tuple[str, Any]]:
    """Yield pipelines with a forged step."""

    def encoder(**attributes: Any) -> Any:
        model = make_pipeline(
            OneHotEncoder(min_frequency=0.4, handle_unknown="infrequent_if_exist"), LogisticRegression()
        )
        model.fit(WORDS, LABELS)
        vars(model.steps[0][1]).update(attributes)
        return model

    maps = encoder().steps[0][1]._default_to_infrequent_mappings
    yield "columns of an encoder", encoder(_n_features_outs=[1, 1])
    yield (
        "map of an encoder",
        encoder(_default_to_infrequent_mappings=[None if one is None else one + 10**6 for one in maps]),
    )
    yield "what an encoder leaves out", encoder(_drop_idx_after_grouping=np.array([10**6, None], dtype=object))
    many = "i4," * 20_000
    step = FunctionTransformer(np.log1p, kw_args={"dtype": many})
    yield "a type of many, handed on", make_pipeline(step, logistic())
    model = make_pipeline(OrdinalEncoder(), LogisticRegression()).fit(WORDS, LABELS)
    model.steps[0][1].dtype = many
    yield "a type of many", model
    model = make_pipeline(PolynomialFeatures(2), LogisticRegression()).fit(ROWS, LABELS)
    model.steps[0][1]._max_degree = 10**6
    yield "endless products", model
    yield "in the place of a method", logistic(predict=np.exp)
    yield "a class as a number", logistic(C=OrdinalEncoder)


def main(canary: Path) -> None:
    """Open every file, and print what was said, how long it took and how much memory."""
    files = [*calls(canary), *bombs()]
    for name, model in forged():
        files.append((name, pickle.dumps(model)))
        try:
            files.append((f"{name}, skops", skops.io.dumps(model)))
        except Exception:  # noqa: S112  what skops does not write cannot come as a skops file
            continue
    said, seconds = {}, {}
    for name, data in files:
        start = time.monotonic()
        try:
            said[name] = f"opened: {type(load_model(data)).__name__}"
        except RedressError as error:
            said[name] = f"refused: {error}"
        seconds[name] = time.monotonic() - start
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps({"said": said, "seconds": seconds, "kilobytes": memory}))  # noqa: T201


if __name__ == "__main__":
    main(Path(sys.argv[1]))
