/* The launcher of sandboxes: a small program of its own, so that a server with many threads never forks.
   It is root's until it has given that up; all it is told comes from the server. */
#include "sandbox.h"

#include <stdio.h>
#include <string.h>

int main(int count, char **arguments) {
  if (count >= 2) {
    if (strcmp(arguments[1], "launch") == 0) return launch(count - 2, arguments + 2);
    if (strcmp(arguments[1], "init") == 0) return init(count - 2, arguments + 2);
    if (strcmp(arguments[1], "probe") == 0) return probe(count - 2, arguments + 2);
  }
  fputs("hito-sandbox is started by hito; it is of no use by hand\n", stderr);
  return 64;
}
