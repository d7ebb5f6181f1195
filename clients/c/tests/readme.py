#!/usr/bin/env python3
"""Prints a program of the C code in README.md, with a main that calls its functions."""

import re
import sys
from pathlib import Path

BLOCKS = re.findall(r"^```c\n(.*?)^```$", Path(sys.argv[1]).read_text(), re.MULTILINE | re.DOTALL)
MAIN = """
int main(int count, char **arguments) {
  if (count != 3) return 2;
  hito_client *client = connect_to(arguments[1], arguments[2], getenv("HITO_TOKEN"));
  if (client == NULL) return 1;
  int failed = make_goal(client) + health_once(client) + watch_some(client, 2) + in_a_loop(client) +
               call_under_new_tokens(arguments[1], arguments[2]);
  hito_client_free(client);
  return failed;
}
"""
print("#define _POSIX_C_SOURCE 200809L\n#include <poll.h>\n#include <stdio.h>\n#include <stdlib.h>\n")
print("\n".join(BLOCKS) + MAIN)
