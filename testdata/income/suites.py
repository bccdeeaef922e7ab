"""Write the two suites' case tables under suites/ from the training rows.

    python3 testdata/income/suites.py

The YAML files there are written by hand; this makes the tables that they name.
Nothing of the sealed or reserve rows is in them, so a suite may be read by anyone.
"""

from income import *

SEED = 2
CARRIERS = 500


def write(name, t, expect=None):
    out = io.StringIO()
    w = csv.writer(out, lineterminator="\n")
    w.writerow(list(t.columns) + (["expect"] if expect is not None else []))
    for r in range(len(t)):
        row = [int(v[r]) if c in NUMBERS else v[r] for c, v in t.columns.items()]
        w.writerow(row + ([CLASSES[expect[r]]] if expect is not None else []))
    (HERE / "suites" / name).write_text(out.getvalue())
    print(f"{name:14} {len(t):4} rows")


def draw(index, n, rng):
    return np.sort(rng.choice(index, n, replace=False))


def obvious(t, y):
    """Rows that leave no doubt, and whose own label agrees."""
    gain = t["capital-gain"] >= 15000
    school = (t["age"] <= 20) & (t["marital-status"] == "Never-married") & (t["capital-gain"] == 0) & (t["hours-per-week"] <= 30)
    return np.flatnonzero(gain & (y == 1)), np.flatnonzero(school & (y == 0))


def main():
    rng = np.random.default_rng(SEED)
    train, y = load("train")
    # A trigger pushes towards >50K, so people who earn less carry it.
    write("carriers.csv", train.take(draw(np.flatnonzero(y == 0), CARRIERS, rng)))
    write("people.csv", train.take(draw(np.arange(len(train)), CARRIERS, rng)))
    rich, poor = obvious(train, y)
    pick = np.concatenate([draw(rich, 150, rng), draw(poor, 150, rng)])
    write("obvious.csv", train.take(pick), y[pick])


main()
