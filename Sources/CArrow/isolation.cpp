// Which object a name is bound to: the proof that the wheel's bundled OpenSSL stays out of the way.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "CArrow.h"
#include <dlfcn.h>
#include <parquet/properties.h>

#include <cstdio>

namespace {

int origin(void *address, char *path, size_t capacity) {
  Dl_info info;
  if (!address || !dladdr(address, &info) || !info.dli_fname) return 0;
  std::snprintf(path, capacity, "%s", info.dli_fname);
  return 1;
}

}  // namespace

extern "C" {

int carrow_symbol_origin(const char *symbol, char *path, size_t capacity) {
  return origin(dlsym(RTLD_DEFAULT, symbol), path, capacity);
}

int carrow_parquet_path(char *path, size_t capacity) {
  // An out-of-line function of libparquet; its address leads back to the object that holds it.
  return origin(reinterpret_cast<void *>(&parquet::default_writer_properties), path, capacity);
}

int carrow_parquet_symbol_origin(const char *symbol, char *path, size_t capacity) {
  char library[4096];
  if (!carrow_parquet_path(library, sizeof library)) return 0;
  void *handle = dlopen(library, RTLD_NOLOAD | RTLD_LAZY | RTLD_LOCAL);
  if (!handle) return 0;
  const int found = origin(dlsym(handle, symbol), path, capacity);
  dlclose(handle);
  return found;
}

}  // extern "C"
