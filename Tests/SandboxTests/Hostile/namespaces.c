// expect: exited 0
// says: CONTAINED
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
int main(void) {
  static const int kinds[] = {CLONE_NEWUSER, CLONE_NEWNS, CLONE_NEWPID, CLONE_NEWNET, CLONE_NEWIPC, CLONE_NEWUTS, 0x02000000, 0x80};
  int escaped = 0;
  for (unsigned i = 0; i < sizeof kinds / sizeof *kinds; i++) {
    escaped |= unshare(kinds[i]) == 0;
    if (kinds[i] == 0x80) continue;  // to clone, that is the signal
    long child = syscall(SYS_clone, kinds[i] | SIGCHLD, 0, 0, 0, 0);
    if (child == 0) _exit(0);
    escaped |= child > 0;
  }
  unsigned long arguments[11] = {CLONE_NEWUSER, 0, 0, 0, SIGCHLD};
  long child = syscall(435, arguments, sizeof arguments);
  if (child == 0) _exit(0);
  escaped |= child > 0;
  int file = open("/proc/self/ns/user", O_RDONLY);
  escaped |= file >= 0 && setns(file, 0) == 0;
  puts(escaped ? "ESCAPED" : "CONTAINED");
}
