#define _GNU_SOURCE
#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

size_t failure(char message[failure_size], const char *step) {
  int32_t number = errno;
  message[0] = message_failed;
  memcpy(message + 1, &number, sizeof number);
  int length = snprintf(message + 5, failure_size - 5, "%s", step);
  return 5 + (size_t)(length > failure_size - 6 ? failure_size - 6 : length);
}

const char *map_file(int file, size_t least, const char **end) {
  struct stat information;
  if (fstat(file, &information) != 0 || information.st_size < (off_t)least) return NULL;
  const char *bytes = mmap(NULL, (size_t)information.st_size, PROT_READ, MAP_PRIVATE, file, 0);
  if (bytes == MAP_FAILED) return NULL;
  *end = bytes + information.st_size;
  return bytes;
}

int read_number(const char **at, const char *end, uint32_t *number) {
  if ((size_t)(end - *at) < sizeof *number) return -1;
  memcpy(number, *at, sizeof *number);
  *at += sizeof *number;
  return 0;
}

const char *read_text(const char **at, const char *end) {
  uint32_t length;
  if (read_number(at, end, &length) != 0 || (size_t)(end - *at) < (size_t)length + 1) return NULL;
  const char *text = *at;
  if (text[length] != '\0') return NULL;
  *at += (size_t)length + 1;
  return text;
}

/* Makes the folders that lead to `path`, and the last part too where it is one itself. */
static int make_folders(const char *path, int is_folder) {
  char part[1024];
  size_t length = strlen(path);
  if (length >= sizeof part) return -1;
  memcpy(part, path, length + 1);
  for (size_t index = 1; index <= length; index++) {
    if (part[index] != '/' && !(index == length && is_folder)) continue;
    char byte = part[index];
    part[index] = '\0';
    if (mkdir(part, 0755) != 0 && errno != EEXIST) return -1;
    part[index] = byte;
  }
  return 0;
}

static int write_all(int file, const char *bytes, size_t count) {
  while (count > 0) {
    ssize_t written = write(file, bytes, count);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return -1;
    bytes += written;
    count -= (size_t)written;
  }
  return 0;
}

const char *write_files(const char *at, const char *end, uint32_t count) {
  for (; count > 0; count--) {
    const char *path = read_text(&at, end);
    uint32_t mode, length;
    errno = EPROTO;
    if (path == NULL || read_number(&at, end, &mode) != 0 || read_number(&at, end, &length) != 0
        || (size_t)(end - at) < length)
      return "read the files";
    if (make_folders(path, mode == 0) != 0) return "make the folders of the files";
    if (mode == 0) continue;
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, (mode_t)mode);
    if (file < 0) return "make the files";
    int status = write_all(file, at, length);
    close(file);
    if (status != 0) return "write the files";
    at += length;
  }
  return NULL;
}
