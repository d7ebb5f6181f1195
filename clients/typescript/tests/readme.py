"""Writes the code of README.md as a program: all of it in one module, against the server of the tests."""

from __future__ import annotations

import re
import sys
from pathlib import Path

PLACES = {
    '"127.0.0.1:7443"': 'process.env["HITO_ADDRESS"]!',
    'readFileSync("ca.pem", "utf8")': 'readFileSync(process.env["HITO_CA"]!, "utf8")',
    'readFileSync("token", "utf8").trim()': 'process.env["HITO_ADMIN_TOKEN"]!',
}

readme, out = map(Path, sys.argv[1:])
blocks = re.findall(r"^```ts\n(.*?)^```$", readme.read_text(), re.DOTALL | re.MULTILINE)
code = "\n".join(blocks)
for written, meant in PLACES.items():
    if written not in code:
        sys.exit(f"README.md does not say {written} any more")
    code = code.replace(written, meant)
out.parent.mkdir(parents=True, exist_ok=True)
if not out.exists() or out.read_text() != code:
    out.write_text(code)
