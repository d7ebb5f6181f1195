// expect: file_size
// One file of more than a file may be.
#include <stdio.h>
int main(void) {
  static char block[1 << 16];
  FILE *file = fopen("large", "w");
  for (int i = 0; i < 1000; i++) fwrite(block, 1, sizeof block, file);
  return 0;
}
