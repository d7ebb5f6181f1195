// expect: exited 0
// met: processes
// says: CONTAINED
// Threads count as processes.
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>
static void *rest(void *a) { pause(); return a; }
int main(void) {
  pthread_t thread;
  int count = 0;
  while (count < 5000 && pthread_create(&thread, 0, rest, 0) == 0) count++;
  puts(count < 64 ? "CONTAINED" : "ESCAPED");
  fflush(stdout);
  _exit(0);
}
