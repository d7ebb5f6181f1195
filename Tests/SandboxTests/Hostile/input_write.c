// expect: exited 0
// says: CONTAINED
// Its input is a file of the server's memory: it must not change it, or make it larger.
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>
int main(void) {
  int file = open("/proc/self/fd/0", O_RDWR), escaped = 0;
  escaped |= write(0, "x", 1) == 1;
  if (file >= 0) {
    escaped |= pwrite(file, "x", 1, 0) == 1;
    escaped |= ftruncate(file, 1 << 20) == 0;
    escaped |= mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0) != MAP_FAILED;
  }
  puts(escaped ? "ESCAPED" : "CONTAINED");
}
