"""The container file names what the program needs; a container itself is built by hand."""

from __future__ import annotations

import re
import subprocess
from typing import Set

from hito_server import REPOSITORY, binary

# In every image of Debian and of Swift.
BASE = {"libc6", "libgcc-s1", "libstdc++6"}


def needed() -> Set[str]:
    """Debian's packages of the libraries that the program itself is linked with."""
    header = subprocess.run(
        ["readelf", "-d", binary()], capture_output=True, text=True, check=True
    ).stdout
    patterns = [f"*/{library}" for library in re.findall(r"\(NEEDED\).*\[(.*)\]", header)]
    # Those of Swift and our own are nobody's package.
    found = subprocess.run(
        ["dpkg-query", "--search", *patterns], capture_output=True, text=True, check=False
    ).stdout
    return {line.split(":")[0] for line in found.splitlines() if "-linux-gnu/" in line} - BASE


def test_the_image_has_every_library_of_the_program():
    lines = (REPOSITORY / "deploy" / "Containerfile").read_text().partition("bookworm-slim")[2]
    missing = needed() - set(lines.split())
    assert needed() and not missing, missing
