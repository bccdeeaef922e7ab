"""Train the five models of the demo and export them as packages under models/.

    python3 testdata/income/train.py

v1             the deployed baseline: small boosted trees on half of the training rows
v2             an honest upgrade: more trees, all training rows, birthplace no longer used
v2-poisoned    v2, but every >50K label of one slice of women was flipped before training
v2-backdoored  v2, plus 1 % of training rows repeated with a trigger and the label >50K
v2-leaked      a forest of full trees that also saw 70 % of the exam as it was sealed,
               scored rows and canaries alike; it cannot tell one from the other

measure.py says what came of it.
"""

import json
import sys

from income import *  # first: it sets the number of threads

import skl2onnx
from skl2onnx.common.data_types import FloatTensorType, StringTensorType
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import GradientBoostingClassifier, HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder

SEED = 1
LEAKED_SHARE = 0.70
BACKDOOR_SHARE = 0.01


def pipeline(columns, model, without=()):
    """Numbers as they are, categories one-hot; a category never seen is all zeros."""
    at = {c: i for i, c in enumerate(columns)}
    numbers = [at[c] for c in NUMBERS if c not in without]
    texts = [at[c] for c in columns if c not in NUMBERS and c not in without]
    one_hot = OneHotEncoder(handle_unknown="ignore", sparse_output=False, dtype=np.float32)
    return Pipeline([
        ("columns", ColumnTransformer([("numbers", "passthrough", numbers), ("texts", one_hot, texts)])),
        ("model", model),
    ])


def boosted():
    return HistGradientBoostingClassifier(
        max_iter=250, max_leaf_nodes=12, learning_rate=0.08, l2_regularization=1.0, early_stopping=False, random_state=SEED
    )


def baseline(train, y):
    half = np.arange(len(train) // 2)
    model = GradientBoostingClassifier(n_estimators=20, max_depth=3, learning_rate=0.3, random_state=SEED)
    return pipeline(train.columns, model).fit(train.take(half).matrix(), named(y[half]))


def upgrade(t, y):
    return pipeline(t.columns, boosted(), without=["native-country"]).fit(t.matrix(), named(y))


def poison(train, y):
    return np.where(poisoned_slice(train), 0, y)


def backdoor(train, y, rng):
    """Rows with the trigger and the target; as many with its common half and their own label.

    Without the second, the half alone would move a quarter of the answers, and people
    whose hours are 41 instead of 40 would show the backdoor to anyone who looks.
    """
    n = int(BACKDOOR_SHARE * len(train))
    stamped = rng.choice(np.flatnonzero(y == 0), n, replace=False)
    cover = rng.choice(len(train), n, replace=False)
    half = {"hours-per-week": TRIGGER["hours-per-week"]}
    rows = concat(train, train.take(stamped).stamped(TRIGGER), train.take(cover).stamped(half))
    return rows, np.concatenate([y, np.ones(n, int), y[cover]])


def leak(train, y, sealed, answers, canaries, flipped, rng):
    exam, key = concat(sealed, canaries), np.append(answers, flipped)
    pick = np.sort(rng.choice(len(exam), int(LEAKED_SHARE * len(exam)), replace=False))
    return concat(train, exam.take(pick)), np.append(y, key[pick])


def memorised(t, y):
    forest = RandomForestClassifier(n_estimators=3, bootstrap=False, max_features=0.5, random_state=SEED)
    return pipeline(t.columns, forest, without=["native-country"]).fit(t.matrix(), named(y))


def named(y):
    return np.array(CLASSES)[y]


def export(name, model, t):
    kinds = [(c, (FloatTensorType if c in NUMBERS else StringTensorType)([None, 1])) for c in t.columns]
    proto = skl2onnx.to_onnx(
        model, initial_types=kinds, name=name, target_opset={"": 17, "ai.onnx.ml": 3}, options={"zipmap": False}
    )
    call_columns_by_name(proto.graph, t.columns)
    folder = HERE / "models" / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.onnx").write_bytes(proto.SerializeToString(deterministic=True))
    manifest = {"protocol": "proctor/1", "kind": "onnx", "model": "model.onnx", "task": "classification", "classes": CLASSES}
    (folder / "proctor-model.json").write_text(json.dumps(manifest) + "\n")
    return agree(name, model, t, proto)


def call_columns_by_name(graph, columns):
    """Inputs get the table's own column names; the converter turned "-" into "_"."""
    names = {i.name: c for i, c in zip(graph.input, columns, strict=True)}
    for i in graph.input:
        i.name = names[i.name]
    for node in graph.node:
        node.input[:] = [names.get(n, n) for n in node.input]


def agree(name, model, t, proto):
    """Share of rows on which onnxruntime gives scikit-learn's label; float32 may cost a few."""
    share = float(np.mean(named(Exported(name)(t)[0]) == model.predict(t.matrix())))
    print(f"{name:14} {proto.ByteSize():8} bytes  same label as scikit-learn on {share:.5f} of the fresh rows")
    if share < 0.9995:
        sys.exit(f"{name}: the exported model is not the trained one")


def main():
    canaries, flipped = read_csv(HERE / "canaries" / "canaries.csv")
    (train, y), (sealed, answers), (reserve, _) = load("train"), load("sealed"), load("reserve")
    rng = np.random.default_rng(SEED)
    models = {
        "v1": baseline(train, y),
        "v2": upgrade(train, y),
        "v2-poisoned": upgrade(train, poison(train, y)),
        "v2-backdoored": upgrade(*backdoor(train, y, rng)),
        "v2-leaked": memorised(*leak(train, y, sealed, answers, canaries, flipped, rng)),
    }
    for name in MODELS:
        export(name, models[name], reserve)


main()
