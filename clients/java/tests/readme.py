"""Makes a Java program of the code in README.md: readme.py README.md ReadmeExample.java"""

from __future__ import annotations

import re
import sys
from pathlib import Path

PROGRAM = """\
{imports}
import java.nio.file.Path;

/** The code of README.md. */
public final class ReadmeExample {{
  private ReadmeExample() {{}}

  public static void main(String[] arguments) {{
    String address = System.getenv("HITO_ADDRESS");
    Path caFile = Path.of(System.getenv("HITO_CA"));
    String token = System.getenv("HITO_TOKEN");
{blocks}
    System.out.println("ok - the code of README.md");
    System.exit(0);
  }}
}}
"""


def main() -> None:
    readme, program = (Path(argument) for argument in sys.argv[1:])
    blocks = re.findall(r"```java\n(.*?)```", readme.read_text(), re.DOTALL)
    imports = [block for block in blocks if block.startswith("import ")]
    code = [block for block in blocks if not block.startswith("import ")]
    assert imports and len(code) > 3
    program.parent.mkdir(parents=True, exist_ok=True)
    program.write_text(PROGRAM.format(imports="".join(imports), blocks="\n".join(code)))


main()
