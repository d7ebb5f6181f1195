// renameat2, which the Swift module of the C library does not show.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "CArrow.h"
#include <cerrno>
#include <fcntl.h>
#include <stdio.h>

extern "C" int32_t carrow_exchange(const char *path, const char *other) {
#if defined(__APPLE__)
  return renamex_np(path, other, RENAME_SWAP) == 0 ? 0 : errno;
#else
  return renameat2(AT_FDCWD, path, AT_FDCWD, other, RENAME_EXCHANGE) == 0 ? 0 : errno;
#endif
}
