"""Make the example of docs/compare.md: the first 8,000 sealed rows of testdata/income
and what v1 and v2-poisoned answer there, from testdata/income/expected.

    python3 docs/compare/make.py
"""

import csv
import gzip
from pathlib import Path

HERE = Path(__file__).parent
INCOME = HERE.parent.parent / "testdata" / "income"
ROWS = 8000
CLASSES = ["<=50K", ">50K"]


def write(name, head, rows):
    with open(HERE / name, "w", newline="") as f:
        csv.writer(f, lineterminator="\n").writerows([head, *rows])


with gzip.open(INCOME / "sealed.csv.gz", "rt") as f:
    people = list(csv.DictReader(f))[:ROWS]
write("answers.csv", ["id", "label", "sex", "education"], [[f"r{i}", p["label"], p["sex"], p["education"]] for i, p in enumerate(people)])
for name, model in (("baseline.csv", "v1"), ("candidate.csv", "v2-poisoned")):
    with gzip.open(INCOME / "expected" / f"{model}.labels.gz", "rt") as f:
        labels = f.readline().strip()[:ROWS]
    write(name, ["id", "label"], [[f"r{i}", CLASSES[int(c)]] for i, c in enumerate(labels)])
