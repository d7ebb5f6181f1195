// expect: cpu_time
// Processes that are gone before anybody can look at them.
#include <unistd.h>
int main(void) {
  for (;;) {
    pid_t child = fork();
    if (child == 0) { if (fork() != 0) _exit(0); }
  }
}
