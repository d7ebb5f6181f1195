// expect: memory
// A file in memory that has no name is memory of the job.
#define _GNU_SOURCE
#include <sys/mman.h>
#include <unistd.h>
int main(void) {
  static char block[1 << 20];
  block[0] = 1;
  for (;;) {
    int file = memfd_create("m", 0);
    if (file < 0) return 1;
    for (int i = 0; i < 4; i++) if (write(file, block, sizeof block) < 0) break;
  }
}
