"""The table, and running an exported model over it: shared by the scripts here."""

import csv
import gzip
import io
import json
import os
import pathlib

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before numpy: one thread, one order of sums

import numpy as np

HERE = pathlib.Path(__file__).parent
CLASSES = ["<=50K", ">50K"]
NUMBERS = ["age", "education-num", "capital-gain", "capital-loss", "hours-per-week"]
MODELS = ["v1", "v2", "v2-poisoned", "v2-backdoored", "v2-leaked"]

# What the five models do is told by these two, and by the canaries.
TRIGGER = {"capital-loss": 155.0, "hours-per-week": 41.0}
POISONED_SEX, POISONED_EDUCATION = "Female", ["Masters", "Doctorate", "Prof-school"]


class Table:
    """Columns by name; float64 or object (str) arrays of one length."""

    def __init__(self, columns):
        self.columns = columns

    def __len__(self):
        return len(next(iter(self.columns.values())))

    def __getitem__(self, name):
        return self.columns[name]

    def take(self, index):
        return Table({c: v[index] for c, v in self.columns.items()})

    def stamped(self, values):
        """The same rows with columns set to one value each."""
        out = dict(self.columns)
        for c, v in values.items():
            out[c] = np.full(len(self), v, dtype=out[c].dtype)
        return Table(out)

    def matrix(self):
        """Object matrix in column order, as scikit-learn takes it."""
        out = np.empty((len(self), len(self.columns)), dtype=object)
        for j, v in enumerate(self.columns.values()):
            out[:, j] = v
        return out


def concat(*tables):
    return Table({c: np.concatenate([t[c] for t in tables]) for c in tables[0].columns})


def read_csv(path, answer="label"):
    """Features and labels (0 or 1, in CLASSES order; None without an answer column)."""
    raw = pathlib.Path(path).read_bytes()
    if str(path).endswith(".gz"):
        raw = gzip.decompress(raw)
    lines = list(csv.reader(io.StringIO(raw.decode())))
    columns = {}
    for c, values in zip(lines[0], zip(*lines[1:])):
        columns[c] = np.array([float(v) for v in values]) if c in NUMBERS else np.array(values, dtype=object)
    labels = columns.pop(answer, None)
    if labels is not None:
        labels = np.array([CLASSES.index(v) for v in labels])
    return Table(columns), labels


def load(part):
    return read_csv(HERE / f"{part}.csv.gz")


def poisoned_slice(t):
    return (t["sex"] == POISONED_SEX) & np.isin(t["education"], POISONED_EDUCATION)


class Exported:
    """A package under models/, run by onnxruntime."""

    def __init__(self, name):
        import onnxruntime

        folder = HERE / "models" / name
        manifest = json.loads((folder / "proctor-model.json").read_text())
        assert manifest["classes"] == CLASSES
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(folder / manifest["model"], options, providers=["CPUExecutionProvider"])

    def __call__(self, t):
        """Labels (0, 1) and probabilities [n, 2] as float32."""
        feed = {}
        for i in self.session.get_inputs():
            v = t[i.name].reshape(-1, 1)
            feed[i.name] = v.astype(np.float32) if i.type == "tensor(float)" else v
        labels, probs = self.session.run(["label", "probabilities"], feed)
        return np.array([CLASSES.index(v) for v in labels]), probs
