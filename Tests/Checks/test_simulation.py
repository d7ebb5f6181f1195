"""The simulation is the same for the same seed, in every process: or a seed that fails says nothing."""

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GENERATOR = Path(os.environ.get("HITO_GENERATOR", ROOT / ".build/debug/protoc-gen-hito"))
PROGRAM = GENERATOR.with_name("hito-simulate")


def reports(*options):
    done = subprocess.run(
        [PROGRAM, "--verbose", *options], capture_output=True, text=True, timeout=120, check=True
    )
    return [line for line in done.stdout.splitlines() if line.startswith("seed ")]


@pytest.mark.skipif(not PROGRAM.exists(), reason="hito-simulate is not built")
def test_a_seed_is_one_run():
    together = reports("--seed", "3", "--count", "6")
    assert len(set(together)) == 6
    assert together == [line for seed in range(3, 9) for line in reports("--seed", str(seed))]
