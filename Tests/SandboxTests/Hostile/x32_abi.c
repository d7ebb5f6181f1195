// expect: any
// lacks: ESCAPED
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>
int main(void) {
#ifdef __x86_64__
  printf("ESCAPED %ld\n", syscall(0x40000000 + SYS_getpid));
#else
  puts("CONTAINED");
#endif
}
