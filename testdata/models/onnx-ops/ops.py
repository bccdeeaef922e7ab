"""Make ops.json.gz: models of one node, inputs, and what onnxruntime answers.

    python3 testdata/models/onnx-ops/ops.py

Each line is {"name", "model" (base64), "in": {name: tensor}, "out": {name: tensor}}; a tensor
is {"kind", "shape", "data"}. Numbers that JSON has not are the strings "NaN", "+Inf", "-Inf".
"""

import base64
import gzip
import json
import math
import pathlib

import numpy as np
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper

HERE = pathlib.Path(__file__).resolve().parent
KINDS = {np.dtype(np.float32): (TensorProto.FLOAT, "float"), np.dtype(np.float64): (TensorProto.DOUBLE, "double"),
         np.dtype(np.int64): (TensorProto.INT64, "int64"), np.dtype(np.int32): (TensorProto.INT32, "int32"),
         np.dtype(bool): (TensorProto.BOOL, "bool"), np.dtype(object): (TensorProto.STRING, "string")}
ML = "ai.onnx.ml"
F, D, I, S = np.float32, np.float64, np.int64, object
rng = np.random.default_rng(11)
lines = []


def number(v):
    if isinstance(v, float) and not math.isfinite(v):
        return "NaN" if math.isnan(v) else "+Inf" if v > 0 else "-Inf"
    return v


def tensor(a):
    flat = a.reshape(-1)
    data = [float(f"{v:.9g}") for v in flat] if a.dtype == F else flat.tolist()
    return {"kind": KINDS[a.dtype][1], "shape": list(a.shape), "data": [number(v) for v in data]}


def case(op, *ins, outs=1, domain="", opset=17, ml=3, name="", constant=(), **attrs):
    """Inputs whose index is in `constant` become initialisers; None leaves one out."""
    given = {f"i{k}": np.asarray(a) for k, a in enumerate(ins) if a is not None}
    names = ["" if a is None else f"i{k}" for k, a in enumerate(ins)]
    made = [f"o{k}" for k in range(outs)]
    node = helper.make_node(op, names, made, domain=domain, **attrs)
    inits = [numpy_helper.from_array(given[f"i{k}"], f"i{k}") for k in constant]
    feeds = {n: a for n, a in given.items() if n not in {f"i{k}" for k in constant}}
    graph = helper.make_graph([node], "g", [helper.make_tensor_value_info(n, KINDS[a.dtype][0], list(a.shape)) for n, a in feeds.items()],
                              [helper.make_empty_tensor_value_info(o) for o in made], inits)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset), helper.make_opsetid(ML, ml)], ir_version=8)
    title = f"{op}-{opset if not domain else ml} {name or ' '.join(f'{k}={v}' for k, v in attrs.items())}"[:70].strip()
    options = ort.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    try:
        got = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"]).run(None, feeds)
    except Exception as e:
        raise SystemExit(f"{title}: {e}")
    lines.append({"name": title, "model": base64.b64encode(model.SerializeToString(deterministic=True)).decode(),
                  "in": {n: tensor(a) for n, a in feeds.items()}, "out": {o: tensor(np.asarray(g)) for o, g in zip(made, got)}})


def x(*shape, dtype=F):
    return np.round(rng.normal(size=shape) * 2, 3).astype(dtype)


def whole(*shape, dtype=I):
    return rng.integers(-5, 6, shape).astype(dtype)


def text(*words):
    return np.array(words, dtype=object)


def arithmetic():
    for op in ("Add", "Sub", "Mul", "Div", "Max", "Min"):
        case(op, x(3, 4), x(4))
        case(op, x(2, 1, 3, dtype=D), x(4, 1, dtype=D))
        if op != "Div":
            case(op, whole(3, 4), whole(3, 1))
    case("Div", np.array([7, -7, 9], I), np.array([2, 2, -4], I))
    case("Sum", x(3, 2), x(2), x(3, 1), x(1))
    case("Max", x(3, 2), x(2), x(3, 1))
    case("Pow", np.abs(x(3, 3)), x(3), name="fractions")
    case("Pow", x(3, 3), np.array([2, 3, 0], F), name="whole")
    case("Pow", x(2, 2, dtype=D), np.array(2, I), name="mixed")
    for op in ("Neg", "Abs", "Exp", "Sqrt", "Log", "Reciprocal", "Relu", "Sigmoid", "Tanh"):
        a = x(4, 5)
        case(op, np.abs(a) + F(0.01) if op in ("Sqrt", "Log") else a)
    case("Sigmoid", np.array([-200, -20, -1e-9, 0, 1e-9, 20, 200], F), name="ends")
    case("Tanh", np.array([-50, -1e-6, 0, 1e-6, 50], F), name="ends")
    case("Exp", np.array([-200, -104, 0, 88, 89], F), name="ends")
    case("Neg", whole(4)); case("Abs", whole(4))
    case("Clip", x(9), opset=10, min=-1.0, max=0.5)
    case("Clip", x(9), np.array(-1, F), np.array(0.5, F))
    case("Clip", x(9), None, np.array(0.5, F), name="only max")
    case("Clip", x(9), np.array(0, F), name="only min")


def logic():
    for op in ("Equal", "Less", "Greater", "LessOrEqual", "GreaterOrEqual"):
        case(op, whole(3, 4), whole(4))
        case(op, np.round(x(3, 4)), np.round(x(3, 1)))
    case("Equal", text("a", "b"), text("a", "c"), opset=19)
    t = np.array([True, False, True, False]), np.array([True, True, False, False])
    for op in ("And", "Or", "Xor"):
        case(op, *t)
    case("Not", t[0])
    case("IsNaN", np.array([1, np.nan, np.inf], F))
    case("Where", np.array([[True], [False]]), x(2, 3), x(3))
    case("Where", t[0], text(*"abcd"), text("z"))


def matrices():
    case("MatMul", x(5, 7), x(7, 6)); case("MatMul", x(2, 3, 4), x(4, 5)); case("MatMul", x(3, 4, dtype=D), x(4, 2, dtype=D))
    case("Gemm", x(5, 7), x(6, 7), x(6), transB=1)
    case("Gemm", x(7, 5), x(7, 3), x(5, 1), transA=1, alpha=0.5, beta=2.0)
    case("Gemm", x(4, 3), x(3, 2), name="no bias")
    for op in ("Softmax", "LogSoftmax"):
        case(op, x(3, 4)); case(op, x(2, 3, 4), axis=1); case(op, x(2, 3, 4), opset=11); case(op, x(3, 4, dtype=D), axis=0)


def reductions():
    for op in ("ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1", "ReduceL2", "ReduceSumSquare", "ReduceLogSumExp"):
        a = x(3, 4, 2)
        if op == "ReduceSum":
            case(op, a, np.array([1], I)); case(op, a, np.array([-1, 0], I), keepdims=0)
            case(op, a, opset=11, axes=[1]); case(op, a, np.array([], I), noop_with_empty_axes=1, constant=(1,))
        else:
            case(op, a, axes=[1]); case(op, a, axes=[-1, 0], keepdims=0); case(op, a, np.array([2], I), opset=18)
        case(op, a, name="all")
    case("ReduceSum", whole(3, 4), np.array([0], I)); case("ReduceMax", whole(3, 4), axes=[1])
    for op in ("ArgMax", "ArgMin"):
        a = np.round(x(4, 5))
        case(op, a, axis=1); case(op, a, axis=0, keepdims=0); case(op, a, axis=-1, select_last_index=1)


def shapes():
    a = x(2, 3, 4)
    case("Identity", text("a", "b")); case("Reshape", a, np.array([0, -1], I)); case("Reshape", a, np.array([4, 1, 6], I))
    case("Flatten", a); case("Flatten", a, axis=-1); case("Flatten", a, axis=0)
    b = x(1, 3, 1)
    case("Squeeze", b); case("Squeeze", b, np.array([-1], I)); case("Squeeze", b, opset=11, axes=[0])
    case("Unsqueeze", a, np.array([0, -1], I)); case("Unsqueeze", a, opset=11, axes=[1, 3])
    case("Transpose", a); case("Transpose", a, perm=[1, 0, 2]); case("Transpose", np.array([[b"a", b"b"], [b"c", b"d"]]).astype(str).astype(object))
    case("Shape", a); case("Shape", a, start=-2); case("Shape", a, start=0, end=-1)
    case("ConstantOfShape", np.array([2, 3], I)); case("ConstantOfShape", np.array([2], I), value=numpy_helper.from_array(np.array([7], I)))
    case("Expand", x(3, 1), np.array([2, 1, 4], I))
    case("Concat", x(2, 3), x(2, 1), axis=1); case("Concat", text("a"), text("b", "c"), axis=-1)
    case("Gather", a, np.array([[1, -1], [0, 2]], I), axis=1); case("Gather", text("a", "b"), np.array(1, I))
    case("Slice", a, np.array([1], I), np.array([9], I), np.array([2], I)); case("Slice", a, opset=9, starts=[0, 1], ends=[2, -1], axes=[0, 1])
    case("Slice", a, np.array([-1, 3], I), np.array([-99, 0], I), np.array([1, 2], I), np.array([-1, -2], I))
    case("Slice", a, np.array([0], I), np.array([3], I), np.array([2], I), np.array([2], I))
    case("Split", a, np.array([1, 3], I), axis=2, outs=2); case("Split", a, axis=1, outs=3); case("Split", x(7), num_outputs=3, outs=3, opset=18)


def casts():
    f = np.array([-1.9, 1.9, 0, 0.1, 1e10, 123456.789, 1e-7], F)
    for to in (TensorProto.INT64, TensorProto.DOUBLE, TensorProto.BOOL, TensorProto.STRING):
        case("Cast", f, to=to)
    case("Cast", np.array([1.5, 0.1, 1e300, 3], D), to=TensorProto.FLOAT); case("Cast", np.array([1.5, 0.1, 3], D), to=TensorProto.STRING)
    case("Cast", np.array([1, -2, 2**40 + 1], I), to=TensorProto.FLOAT); case("Cast", np.array([1, -2, 2**40 + 1], I), to=TensorProto.INT32)
    case("Cast", np.array([1, -2], I), to=TensorProto.STRING); case("Cast", np.array([True, False]), to=TensorProto.FLOAT)
    case("Cast", text("1.5", "-2", "1e3"), to=TensorProto.FLOAT); case("Cast", text("15", "-2"), to=TensorProto.INT64)


def preprocessing():
    def ml(op, *ins, **k):
        case(op, *ins, domain=ML, **k)
    a = x(4, 3)
    ml("Scaler", a, offset=[1.0, 2.0, 3.0], scale=[0.1, 0.2, 0.3]); ml("Scaler", whole(4, 3), offset=[1.0], scale=[0.3])
    ml("Scaler", a.astype(D), offset=[1.0, 2.0, 3.0], scale=[0.1, 0.2, 0.3])
    for norm in ("MAX", "L1", "L2"):
        ml("Normalizer", a, norm=norm); ml("Normalizer", np.zeros((2, 2), F), norm=norm)
    n = a.copy(); n[1, 1] = np.nan
    ml("Imputer", n, imputed_value_floats=[7.0], replaced_value_float=float("nan")); ml("Imputer", n, imputed_value_floats=[7.0, 8.0, 9.0], replaced_value_float=float("nan"))
    ml("Imputer", whole(3, 3), imputed_value_int64s=[70], replaced_value_int64=0)
    ml("Binarizer", a, threshold=0.5)
    ml("OneHotEncoder", text("a", "q", "c"), cats_strings=["a", "b", "c"]); ml("OneHotEncoder", np.array([[1.9, 2], [3, -1]], F), cats_int64s=[1, 2, 3])
    ml("OneHotEncoder", np.array([3, 1], I), cats_int64s=[1, 2, 3], zeros=0)
    ml("LabelEncoder", text("a", "z"), keys_strings=["a", "b"], values_int64s=[5, 6], default_int64=9)
    ml("LabelEncoder", text("a", "z"), keys_strings=["a", "b"], values_floats=[0.5, 1.5], default_float=float("nan"))
    ml("LabelEncoder", np.array([5, 7], I), keys_int64s=[5, 6], values_strings=["x", "y"])
    ml("LabelEncoder", np.array([0.5, 7], F), keys_floats=[0.5, 1], values_strings=["x", "y"])
    ml("LabelEncoder", text("a", "z"), classes_strings=["a", "b"], ml=1); ml("LabelEncoder", np.array([1, 5], I), classes_strings=["a", "b"], ml=1)
    ml("LabelEncoder", np.array([1.0, np.nan, 3], D), ml=4, name="tensors", keys_tensor=numpy_helper.from_array(np.array([1.0, np.nan], D)),
       values_tensor=numpy_helper.from_array(np.array([10.0, 20.0], D)), default_tensor=numpy_helper.from_array(np.array([-1.0], D)))
    ml("CategoryMapper", text("a", "z"), cats_strings=["a", "b"], cats_int64s=[5, 6]); ml("CategoryMapper", np.array([6, 7], I), cats_strings=["a", "b"], cats_int64s=[5, 6])
    ml("ArrayFeatureExtractor", a, np.array([2, 0], I)); ml("ArrayFeatureExtractor", text("a", "b"), np.array([[1], [0], [1]], I))
    ml("FeatureVectorizer", x(2, 3), x(2, 2), inputdimensions=[3, 2])


POSTS = ("NONE", "SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO")


def linear():
    a = x(6, 3)
    for post in POSTS:
        w = dict(coefficients=[0.3, -0.2, 0.5, -0.1, 0.4, 0.2, 0.7, -0.3, 0.1], intercepts=[0.1, 0.0, -0.1], post_transform=post)
        case("LinearClassifier", a, domain=ML, outs=2, classlabels_strings=["a", "b", "c"], **w)
        case("LinearRegressor", a, domain=ML, targets=3, **w)
        w = dict(coefficients=[0.3, -0.2, 0.5], intercepts=[0.1], post_transform=post)
        case("LinearClassifier", a, domain=ML, outs=2, classlabels_ints=[4, 9], name=f"one target {post}", **w)
        case("LinearRegressor", a, domain=ML, targets=1, name=f"one target {post}", **w)


def trees():
    a = np.round(x(24, 2) * 2) / 2
    a[3, 0] = a[5, 1] = np.nan

    def forest(values, ids, modes="BRANCH_LEQ", missing=False):
        """Trees of two questions and three leaves; values holds the leaves' weights for each id."""
        k = dict(nodes_treeids=[], nodes_nodeids=[], nodes_featureids=[], nodes_truenodeids=[], nodes_falsenodeids=[], nodes_modes=[], nodes_values=[])
        t = dict(ids=[], nodeids=[], treeids=[], weights=[])
        for n, leaves in enumerate(values):
            mode = modes if isinstance(modes, str) else modes[n]
            k["nodes_treeids"] += [n] * 5; k["nodes_nodeids"] += range(5); k["nodes_featureids"] += [n % 2, (n + 1) % 2, 0, 0, 0]
            k["nodes_truenodeids"] += [1, 3, 0, 0, 0]; k["nodes_falsenodeids"] += [2, 4, 0, 0, 0]
            k["nodes_modes"] += [mode, mode, "LEAF", "LEAF", "LEAF"]; k["nodes_values"] += [0.5 * n - 0.5, 0.5, 0, 0, 0]
            for node, w in zip((2, 3, 4), leaves):
                for i, v in zip(ids, w):
                    t["ids"].append(i); t["nodeids"].append(node); t["treeids"].append(n); t["weights"].append(v)
        if missing:
            k["nodes_missing_value_tracks_true"] = [1, 0, 0, 0, 0] * len(values)
        return k, t

    def leaves(n, ids, low=-1.0):
        return [[[round(float(v), 3) for v in rng.uniform(low, 1, len(ids))] for _ in range(3)] for _ in range(n)]

    def classifier(n, ids, labels, low=-1.0, modes="BRANCH_LEQ", missing=False, data=a, **more):
        k, t = forest(leaves(n, ids, low), ids, modes, missing)
        case("TreeEnsembleClassifier", data, domain=ML, outs=2, **k, **{"class_" + n: v for n, v in t.items()}, classlabels_strings=labels, **more)

    def regressor(n, ids, modes="BRANCH_LEQ", data=a, **more):
        k, t = forest(leaves(n, ids), ids, modes)
        case("TreeEnsembleRegressor", data, domain=ML, n_targets=len(ids), **k, **{"target_" + n: v for n, v in t.items()}, **more)

    for mode in ("BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT", "BRANCH_EQ", "BRANCH_NEQ"):
        regressor(4, [0], modes=mode, name=mode)
        classifier(4, [0], ["n", "p"], modes=mode, missing=True, name=mode + " missing")
    regressor(4, [0], modes=["BRANCH_LT", "BRANCH_GTE", "BRANCH_EQ", "BRANCH_LEQ"], name="mixed modes")
    for how in ("SUM", "AVERAGE", "MIN", "MAX"):
        regressor(3, [0], aggregate_function=how, base_values=[0.25], name=how)
        regressor(3, [0, 1], aggregate_function=how, base_values=[0.25, -0.5], name=how + " two")
    regressor(3, [0], data=a.astype(D), name="double")
    for post in POSTS:
        regressor(2, [0], post_transform=post, name="one " + post)
        regressor(2, [0, 1, 2], post_transform=post, name="three " + post)
        classifier(3, [0, 1, 2], ["a", "b", "c"], post_transform=post, name="three " + post)
        classifier(3, [0, 1, 2], ["a", "b", "c"], base_values=[0.1, 0.2, 0.3], post_transform=post, name="three base " + post)
        for low in (-1.0, 0.05):
            sign = "positive" if low > 0 else "mixed"
            for ids in ([0], [1], [0, 1]):
                classifier(3, ids, ["n", "p"], low=low, post_transform=post, name=f"two {sign} {ids} {post}")
                classifier(3, ids, ["n", "p"], low=low, base_values=[0.1], post_transform=post, name=f"two {sign} {ids} base {post}")
                classifier(3, ids, ["n", "p"], low=low, base_values=[0.1, 0.2], post_transform=post, name=f"two {sign} {ids} bases {post}")
    classifier(3, [0], ["n", "p"], data=a.astype(D), name="double")
    classifier(3, [0], ["n", "p"], data=whole(12, 2), name="int64")


for part in (arithmetic, logic, matrices, reductions, shapes, casts, preprocessing, linear, trees):
    part()
text_of = "[\n" + ",\n".join(json.dumps(l, separators=(",", ":")) for l in lines) + "\n]\n"
data = gzip.compress(text_of.encode(), 9, mtime=0)
(HERE / "ops.json.gz").write_bytes(data)
print(len(lines), "cases", len(data), "bytes")
