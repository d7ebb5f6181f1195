// expect: exited 0
// says: CONTAINED
// The first process of the sandbox knows how the job ends: it must be out of reach.
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <unistd.h>
int main(void) {
  char byte = 0;
  struct iovec mine = {&byte, 1}, theirs = {(void *)0x400000, 1};
  int escaped = 0;
  for (int one = 1; one < 65; one++) kill(1, one);
  escaped |= ptrace(PTRACE_ATTACH, 1, 0, 0) == 0;
  escaped |= process_vm_readv(1, &mine, 1, &theirs, 1, 0) >= 0;
  escaped |= open("/proc/1/mem", O_RDWR) >= 0;
  escaped |= open("/proc/1/fd/64", O_RDWR) >= 0;
  escaped |= open("/proc/1/environ", O_RDONLY) >= 0;
  escaped |= open("/proc/1/root/etc", O_RDONLY) >= 0;
  puts(escaped ? "ESCAPED" : "CONTAINED");
}
