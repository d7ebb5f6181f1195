// expect: signalled 6
// A core dump would be written by root, wherever the host says.
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
int main(void) {
  struct rlimit all = {RLIM_INFINITY, RLIM_INFINITY};
  setrlimit(RLIMIT_CORE, &all);
  prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
  abort();
}
