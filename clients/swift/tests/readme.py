#!/usr/bin/env python3
"""Whether the code of README.md is what the example compiles and runs."""

from __future__ import annotations

import re
import sys
import textwrap
from pathlib import Path
from typing import List

CLIENT = Path(__file__).resolve().parents[1]
SOURCE = CLIENT / "example" / "Sources" / "Readme.swift"
COMPILED = re.compile(r"^ *// README: \w+\n(.*?)^ *// README: end$", re.DOTALL | re.MULTILINE)
SHOWN = re.compile(r"^```swift\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def flat(texts: List[str]) -> List[str]:
    return [textwrap.dedent(text).strip() for text in texts]


def main() -> int:
    compiled = flat(COMPILED.findall(SOURCE.read_text()))
    shown = flat(SHOWN.findall((CLIENT / "README.md").read_text()))
    # What a package's manifest says is in example/Package.swift.
    shown = [text for text in shown if not text.startswith(".")]
    if shown == compiled and shown:
        return 0
    for text in shown:
        if text not in compiled:
            print(f"not ok README.md: the example has not\n{textwrap.indent(text, '# ')}")
    print(f"not ok README.md has {len(shown)} pieces of code, the example {len(compiled)}")
    return 1


if __name__ == "__main__":
    sys.exit(main())
