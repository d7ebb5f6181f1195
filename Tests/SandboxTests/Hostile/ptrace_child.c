// expect: exited 0
// says: CONTAINED
#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>
int main(void) {
  int status, escaped = ptrace(PTRACE_TRACEME, 0, 0, 0) == 0;
  pid_t child = fork();
  if (child == 0) { sleep(1); _exit(0); }
  escaped |= ptrace(PTRACE_SEIZE, child, 0, 0) == 0;
  waitpid(child, &status, 0);
  puts(escaped ? "ESCAPED" : "CONTAINED");
}
