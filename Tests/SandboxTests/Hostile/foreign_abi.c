// expect: any
// lacks: ESCAPED
// The filter knows one processor's numbers: the others' manner of calling is death.
#include <stdio.h>
#include <unistd.h>
int main(void) {
#ifdef __x86_64__
  long result;
  __asm__ volatile("int $0x80" : "=a"(result) : "a"(20));  // getpid, as i386 has it
  printf("ESCAPED %ld\n", result);
#else
  puts("CONTAINED");
#endif
}
