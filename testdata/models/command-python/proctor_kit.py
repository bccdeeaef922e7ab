"""Serve a model to Proctor. One file, standard library only: put it beside your program.

    import joblib
    from proctor_kit import wrap

    wrap(joblib.load("model.joblib"))

wrap answers batches on standard input until they end. What it takes care of:

- The classes come from proctor-model.json. A model with classes_ of its own has its
  columns brought into the manifest's order; other names than the manifest's are refused.
- Numbers arrive as float, everything else as str, in every batch alike.
- What anything prints after "import proctor_kit" goes to standard error: standard output
  belongs to the protocol. Import it before the libraries of the model.
- An answer that is no answer (too few rows, NaN, a sum other than 1) stops the program
  with a sentence on standard error that says which batch and row.
"""
import json
import math
import os
import sys

MANIFEST = "proctor-model.json"


def wrap(model, columns=None, rows="lists"):
    """Serve model until standard input ends.

    model    has predict_proba(X) -> one list of probabilities a row, or else
             predict(X) -> one class a row: its name, or its index in the manifest.
    columns  the features in the order that the model wants; what scikit-learn noted as
             feature_names_in_ if not given, else the order in which they come.
    rows     what X is: "lists" (a list of lists), "dicts" (a list of dicts), "column" (the
             values of the one column, for models of text), "frame" (a pandas DataFrame).
    """
    if rows not in ("lists", "dicts", "column", "frame"):
        raise ValueError('rows is %r; known are "lists", "dicts", "column", "frame"' % (rows,))
    with open(MANIFEST, encoding="utf-8") as f:
        classes = json.load(f)["classes"]
    if columns is None:
        columns = getattr(model, "feature_names_in_", None)
    columns = None if columns is None else [str(c) for c in _plain(columns)]
    answer = _answerer(model, classes)
    total = 0
    for line in sys.stdin.buffer:
        batch = json.loads(line)
        try:
            reply = answer(_shape(batch["rows"], columns, rows), len(batch["rows"]))
        except Exception:
            print("proctor_kit: batch %s of %d rows could not be answered" % (batch["b"], len(batch["rows"])), file=sys.stderr)
            raise
        reply["b"] = batch["b"]
        _say(reply)
        total += len(batch["rows"])
    _say({"end": total})


def _own_output():
    """Keep standard output for answers; whatever else is printed goes to standard error."""
    sys.stdout.flush()
    out = os.fdopen(os.dup(1), "w", encoding="utf-8", newline="\n")
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return out


_out = _own_output()


def _say(answer):
    _out.write(json.dumps(answer, allow_nan=False) + "\n")
    _out.flush()


def _shape(batch, columns, rows):
    """Turn a list of dicts into what the model takes."""
    names = list(batch[0]) if columns is None else columns
    missing = [c for c in names if c not in batch[0]]
    if missing:
        raise ValueError("the rows have no column %s; they have %s" % (", ".join(missing), ", ".join(batch[0])))
    if rows == "column":
        if len(names) != 1:
            raise ValueError('rows="column" wants one column; name it: columns=[...]; the rows have %s' % ", ".join(names))
        return [_value(r[names[0]]) for r in batch]
    if rows == "dicts":
        return [{c: _value(r[c]) for c in names} for r in batch]
    lists = [[_value(r[c]) for c in names] for r in batch]
    if rows == "lists":
        return lists
    import pandas  # only where the model asks for frames

    return pandas.DataFrame(lists, columns=names)


def _value(v):
    """JSON writes a whole number without a point; a model sees floats in every row."""
    return v if isinstance(v, str) else float(v)


def _answerer(model, classes):
    """Return what maps rows to the "p" or the "y" of an answer."""
    if not hasattr(model, "predict_proba"):
        index = {c: i for i, c in enumerate(classes)}
        return lambda x, n: {"y": _labels(_plain(model.predict(x)), index, n)}
    order = _order(getattr(model, "classes_", None), classes)
    return lambda x, n: {"p": _probabilities(_plain(model.predict_proba(x)), order, n)}


def _order(own, classes):
    """Say which of the model's columns is which class of the manifest."""
    k = len(classes)
    if own is None:
        return list(range(k))
    own = [str(c) for c in _plain(own)]
    if sorted(own) == sorted(classes):
        return [own.index(c) for c in classes]
    if own == [str(i) for i in range(k)]:  # indices into the manifest's classes
        return list(range(k))
    raise ValueError("the model's classes are %s, those of %s are %s" % (own, MANIFEST, classes))


def _probabilities(p, order, n):
    if len(p) != n:
        raise ValueError("predict_proba gave %d rows for %d" % (len(p), n))
    out = []
    for i, row in enumerate(p):
        row = [float(v) for v in _plain(row)]
        if len(row) != len(order):
            raise ValueError("row %d: %d probabilities for %d classes" % (i + 1, len(row), len(order)))
        if not all(math.isfinite(v) and 0 <= v <= 1 for v in row) or abs(sum(row) - 1) > 1e-3:
            raise ValueError("row %d: %r are not probabilities that sum to 1" % (i + 1, row))
        out.append([row[j] for j in order])
    return out


def _labels(y, index, n):
    """An answer that is none of the classes is -1 and counts as wrong."""
    if len(y) != n:
        raise ValueError("predict gave %d answers for %d rows" % (len(y), n))
    k = len(index)
    return [v if isinstance(v, int) and -1 <= v < k else index.get(str(v), -1) for v in y]


def _plain(values):
    """A numpy array or a column of a frame as a list."""
    return values.tolist() if hasattr(values, "tolist") else list(values)
