"""Make the fixtures of the ONNX evaluator: small real models and single operators.

    python3 testdata/models/onnx-ops/make.py            (from anywhere)

Needs scikit-learn 1.5.2, skl2onnx 1.20, onnx 1.23 and onnxruntime 1.32; those versions made
the committed files. Every model is trained on synthetic rows, exported, and run by
onnxruntime on one thread over fresh rows.

numbers.json, people.json   the fresh rows, column by column
NAME.onnx                   the model as exported
NAME.json                   which rows, the classes in the model's order, and what onnxruntime
                            answered: label indices and probabilities (null: it gives none)
ops.json.gz                 models of one node (base64), inputs and onnxruntime's outputs; see ops.py
"""

import os

os.environ["OMP_NUM_THREADS"] = "1"

import json
import pathlib

import numpy as np
import onnx.helper
import onnxruntime as ort
from skl2onnx import to_onnx
from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType, Int64TensorType, StringTensorType
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import (AdaBoostClassifier, BaggingClassifier, ExtraTreesClassifier, GradientBoostingClassifier,
                              HistGradientBoostingClassifier, RandomForestClassifier, VotingClassifier)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.naive_bayes import BernoulliNB, GaussianNB
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import (Binarizer, KBinsDiscretizer, MaxAbsScaler, MinMaxScaler, Normalizer, OneHotEncoder,
                                   OrdinalEncoder, PolynomialFeatures, PowerTransformer, RobustScaler, StandardScaler)
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

plain_attribute = onnx.helper.make_attribute


def make_attribute(key, value, *args, **kwargs):
    """skl2onnx gives numpy booleans and integers, which this onnx refuses in a list of ints."""
    if isinstance(value, (list, np.ndarray)) and len(value) and isinstance(value[0], (bool, np.bool_, np.integer, int)):
        value = [int(v) for v in value]
    return plain_attribute(key, value, *args, **kwargs)


onnx.helper.make_attribute = make_attribute

HERE = pathlib.Path(__file__).resolve().parent
NUMBERS = ["age", "hours", "gain", "score", "ratio"]
CITIES = ["Ålesund", "Bergen", "Oslo", "Tromsø"]
GRADES = ["low", "middle", "high"]
FRESH = 200


def people(n, seed):
    """Numbers that float32 holds exactly, so that reading them loses nothing; two text columns."""
    rng = np.random.default_rng(seed)
    x = np.round(rng.normal(size=(n, 5)) * [14, 12, 3, 1, 0.5] + [40, 38, 1, 0, 1], 2).astype(np.float32)
    x[rng.random(n) < 0.2, 2] = 0
    city, grade = rng.integers(0, 4, n), rng.integers(0, 3, n)
    s = (x[:, 0] - 40) / 14 + (x[:, 1] - 38) / 12 + np.sin(x[:, 3] * 2) + (city == 2) + grade - 1.2 + rng.normal(size=n) * 0.5
    return x, np.array(CITIES, dtype=object)[city], np.array(GRADES, dtype=object)[grade], s


def two(s):
    return np.array(["no", "yes"])[(s > 0).astype(int)]


def at(*names):
    return [(NUMBERS + ["city", "grade"]).index(n) for n in names]


def three(s):
    return np.array([10, 20, 30])[np.digitize(s, [-0.7, 1.2])]


def session(model):
    o = ort.SessionOptions()
    o.intra_op_num_threads = o.inter_op_num_threads = 1
    return ort.InferenceSession(model, o, providers=["CPUExecutionProvider"])


def write(path, doc):
    path.write_text(json.dumps(doc, ensure_ascii=False, separators=(",", ":")).replace('},{"name"', '},\n{"name"') + "\n")


def save(name, model, feeds, rows, columns, classes):
    data = model.SerializeToString(deterministic=True)
    (HERE / f"{name}.onnx").write_bytes(data)
    out = session(data).run(None, feeds)
    labels = [classes.index(v) for v in out[0].reshape(-1).tolist()]
    probs = None
    if len(out) > 1:
        p = [[row[c] for c in classes] for row in out[1]] if isinstance(out[1], list) else out[1].tolist()
        probs = [[float(f"{v:.9g}") for v in row] for row in p]
    write(HERE / f"{rows}.json", {"columns": columns})
    write(HERE / f"{name}.json", {"rows": rows, "classes": [str(c) for c in classes], "labels": labels, "probs": probs})
    print(f"{name:22} {len(data):7} bytes  " + " ".join(sorted({n.op_type for n in model.graph.node})))


def decimal(v):
    return [float(np.format_float_positional(f)) for f in v]


def matrix(name, model, target, kind=FloatTensorType, options=None, rows=700, cut=None):
    """One tensor input of all numbers, fed in column order."""
    x, _, _, s = people(rows, 1)
    if cut is not None:
        s = s - cut
    model.fit(x, target(s))
    fresh = people(FRESH, 2)[0]
    proto = to_onnx(model, initial_types=[("X", kind([None, 5]))], options=options or {id(model): {"zipmap": False}},
                   target_opset={"": 17, "ai.onnx.ml": 3})
    dtype = np.float64 if kind is DoubleTensorType else np.float32
    columns = [{"name": n, "floats": decimal(fresh[:, i])} for i, n in enumerate(NUMBERS)]
    feed = np.array([c["floats"] for c in columns]).T.astype(dtype)
    save(name, proto, {"X": feed}, "numbers", columns, model.classes_.tolist())


def table(name, model, target, hours=FloatTensorType):
    """One input a column, named as the column: what a ColumnTransformer of a frame exports."""
    def frame(n, seed):
        x, city, grade, s = people(n, seed)
        x[:, 1] = np.round(x[:, 1])
        return x, city, grade, s
    def pack(x, city, grade):
        return np.column_stack([x.astype(object), city, grade])
    x, city, grade, s = frame(700, 3)
    model.fit(pack(x, city, grade), target(s))
    x, city, grade, _ = frame(FRESH, 4)
    city[::17] = "Vadsø"  # never seen in training
    kinds = [(n, (hours if n == "hours" else FloatTensorType)([None, 1])) for n in NUMBERS]
    kinds += [(n, StringTensorType([None, 1])) for n in ("city", "grade")]
    proto = to_onnx(model, initial_types=kinds, options={id(model): {"zipmap": False}}, target_opset={"": 17, "ai.onnx.ml": 3})
    columns = [{"name": n, "floats": decimal(x[:, i])} for i, n in enumerate(NUMBERS)]
    columns += [{"name": "city", "strings": city.tolist()}, {"name": "grade", "strings": grade.tolist()}]
    feeds = {n: x[:, [i]].astype(np.int64 if n == "hours" and hours is Int64TensorType else np.float32) for i, n in enumerate(NUMBERS)}
    feeds |= {"city": city[:, None], "grade": grade[:, None]}
    save(name, proto, feeds, "people", columns, model.classes_.tolist())


def main():
    one_hot = lambda: OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    ordinal = lambda **k: OrdinalEncoder(handle_unknown="use_encoded_value", **k)
    matrix("logistic", make_pipeline(StandardScaler(), LogisticRegression()), two)
    matrix("logistic-zipmap", LogisticRegression(max_iter=2000), three, options={"zipmap": True})
    matrix("logistic-double", make_pipeline(StandardScaler(), LogisticRegression()), two, kind=DoubleTensorType)
    matrix("softmax", make_pipeline(MinMaxScaler(clip=True), LogisticRegression()), three)
    matrix("sgd", make_pipeline(RobustScaler(), SGDClassifier(loss="log_loss", random_state=0)), three)
    matrix("calibrated-svc", make_pipeline(MaxAbsScaler(), CalibratedClassifierCV(LinearSVC(random_state=0), cv=2)), two)
    matrix("tree", DecisionTreeClassifier(max_depth=6, random_state=0), three)
    matrix("forest", RandomForestClassifier(12, max_depth=5, random_state=0), two)
    matrix("extra-trees", ExtraTreesClassifier(8, max_depth=5, random_state=0), three)
    matrix("boosting", GradientBoostingClassifier(n_estimators=25, max_depth=3, random_state=0), two)
    matrix("boosting-3", GradientBoostingClassifier(n_estimators=8, max_depth=3, random_state=0), three)
    matrix("hist-boosting", HistGradientBoostingClassifier(max_iter=20, max_leaf_nodes=12, random_state=0), two)
    matrix("hist-boosting-3", HistGradientBoostingClassifier(max_iter=8, max_leaf_nodes=8, random_state=0), three)
    matrix("adaboost", AdaBoostClassifier(n_estimators=8, algorithm="SAMME", random_state=0), three)
    matrix("bagging", BaggingClassifier(DecisionTreeClassifier(max_depth=4), 5, random_state=0), two)
    matrix("voting", VotingClassifier([("a", LogisticRegression(max_iter=2000)), ("b", DecisionTreeClassifier(max_depth=4, random_state=0))], voting="soft", flatten_transform=False), three)
    matrix("mlp", make_pipeline(StandardScaler(), MLPClassifier((16, 8), max_iter=200, random_state=0)), two)
    matrix("mlp-3", make_pipeline(StandardScaler(), MLPClassifier((12,), activation="tanh", max_iter=200, random_state=0)), three)
    matrix("mlp-logistic", make_pipeline(Normalizer(), MLPClassifier((8,), activation="logistic", max_iter=200, random_state=0)), two)
    matrix("gaussian-nb", make_pipeline(StandardScaler(), GaussianNB()), three)
    matrix("bernoulli-nb", make_pipeline(Binarizer(threshold=0.5), BernoulliNB()), two)
    matrix("lda", LinearDiscriminantAnalysis(), three)
    matrix("features", make_pipeline(FeatureUnion([("poly", PolynomialFeatures(2)), ("bins", KBinsDiscretizer(4, encode="onehot-dense")), ("pca", PCA(2))]),
                                     StandardScaler(), LogisticRegression(max_iter=2000)), two)
    matrix("power", make_pipeline(PowerTransformer(), LogisticRegression()), two)
    table("columns", make_pipeline(ColumnTransformer([("n", make_pipeline(SimpleImputer(), StandardScaler()), at(*NUMBERS)), ("t", one_hot(), at("city", "grade"))]),
                                   LogisticRegression()), two)
    table("columns-forest", make_pipeline(ColumnTransformer([("n", "passthrough", at(*NUMBERS)), ("t", one_hot(), at("city", "grade"))]),
                                          RandomForestClassifier(8, max_depth=5, random_state=0)), three)
    table("columns-int", make_pipeline(ColumnTransformer([("n", MinMaxScaler(), at("age", "gain")), ("h", StandardScaler(), at("hours")), ("t", one_hot(), at("city"))]),
                                       GradientBoostingClassifier(n_estimators=10, random_state=0)), two, hours=Int64TensorType)
    table("ordinal", make_pipeline(ColumnTransformer([("n", "passthrough", at(*NUMBERS)), ("t", ordinal(unknown_value=-1), at("city", "grade"))]),
                                   HistGradientBoostingClassifier(max_iter=10, max_leaf_nodes=8, random_state=0)), two)
    table("ordinal-missing", make_pipeline(ColumnTransformer([("n", "passthrough", at(*NUMBERS)), ("t", make_pipeline(ordinal(unknown_value=np.nan), SimpleImputer(strategy="most_frequent")), at("city", "grade"))]),
                                           MLPClassifier((6,), max_iter=50, random_state=0)), two)
    total = sum(f.stat().st_size for f in HERE.iterdir())
    print(f"{total} bytes in all")


if __name__ == "__main__":
    main()
