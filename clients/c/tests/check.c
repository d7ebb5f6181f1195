#include "check.h"

int check_count, check_failed;

void check(bool is_good, const char *file, int line, const char *text) {
  check_count++;
  if (is_good) return;
  check_failed++;
  fprintf(stderr, "%s:%d: not so: %s\n", file, line, text);
}

int check_end(const char *name) {
  printf("%s: %d checks, %d failed\n", name, check_count, check_failed);
  return check_failed == 0 ? 0 : 1;
}

char *read_file(const char *path) {
  FILE *file = fopen(path, "rb");
  if (file == NULL || fseek(file, 0, SEEK_END) != 0) {
    perror(path);
    exit(2);
  }
  long size = ftell(file);
  rewind(file);
  char *text = calloc(1, (size_t)size + 1);
  if (text == NULL || fread(text, 1, (size_t)size, file) != (size_t)size) exit(2);
  fclose(file);
  return text;
}

const char *vectors(void) {
  const char *folder = getenv("HITO_VECTORS");
  return folder == NULL ? "../../Tests/Vectors" : folder;
}
