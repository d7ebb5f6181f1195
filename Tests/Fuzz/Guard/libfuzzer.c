/* The entry that libFuzzer calls, for a fuzzer of C alone: with the address and the undefined-behaviour
 * sanitizer, and without Swift. */
#include "CFuzzGuard.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  hito_fuzz_guard(data, size);
  return 0;
}
