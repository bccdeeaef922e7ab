import json
import sys

from rule import predict

answered = 0
for line in sys.stdin:
    batch = json.loads(line)
    p = [predict(row) for row in batch["rows"]]
    print(json.dumps({"b": batch["b"], "p": p}), flush=True)
    answered += len(p)
print(json.dumps({"end": answered}), flush=True)
