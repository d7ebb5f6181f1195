// expect: stalled
// wall: 2
// collects: target
// A file that is a link to something else half of the time, until the very end.
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
int main(void) {
  struct timespec rest = {0, 200000};
  close(open("plain", O_CREAT | O_WRONLY, 0644));
  (void)!symlink("/etc/passwd", "target");
  for (;;) {
    syscall(SYS_renameat2, AT_FDCWD, "plain", AT_FDCWD, "target", 2 /* RENAME_EXCHANGE */);
    nanosleep(&rest, 0);
  }
}
