// CRC-32C, eight bytes at a time (slicing-by-8), or by the processor's own instruction.
#include "CArrow.h"

#include <array>
#include <cstring>

namespace {

using Tables = std::array<std::array<uint32_t, 256>, 8>;

constexpr Tables make_tables() {
  Tables tables{};
  for (uint32_t byte = 0; byte < 256; byte++) {
    uint32_t crc = byte;
    for (int bit = 0; bit < 8; bit++) crc = crc & 1 ? crc >> 1 ^ 0x82f63b78u : crc >> 1;
    tables[0][byte] = crc;
  }
  for (uint32_t byte = 0; byte < 256; byte++)
    for (int i = 1; i < 8; i++)
      tables[i][byte] = tables[i - 1][byte] >> 8 ^ tables[0][tables[i - 1][byte] & 0xff];
  return tables;
}

constexpr Tables tables = make_tables();

uint32_t by_table(uint32_t crc, const uint8_t *bytes, size_t count) {
  while (count >= 8) {
    uint64_t word;
    std::memcpy(&word, bytes, 8);  // little-endian: the only order that Hito is built for
    word ^= crc;
    crc = 0;
    for (int i = 0; i < 8; i++) crc ^= tables[7 - i][word >> (8 * i) & 0xff];
    bytes += 8;
    count -= 8;
  }
  while (count-- > 0) crc = crc >> 8 ^ tables[0][(crc ^ *bytes++) & 0xff];
  return crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) uint32_t by_instruction(uint32_t crc, const uint8_t *bytes,
                                                          size_t count) {
  uint64_t wide = crc;
  while (count >= 8) {
    uint64_t word;
    std::memcpy(&word, bytes, 8);
    wide = __builtin_ia32_crc32di(wide, word);
    bytes += 8;
    count -= 8;
  }
  crc = static_cast<uint32_t>(wide);
  while (count-- > 0) crc = __builtin_ia32_crc32qi(crc, *bytes++);
  return crc;
}
#endif

}  // namespace

extern "C" uint32_t carrow_crc32c(uint32_t crc, const void *bytes, size_t count) {
  const auto *start = static_cast<const uint8_t *>(bytes);
#if defined(__x86_64__)
  if (__builtin_cpu_supports("sse4.2")) return ~by_instruction(~crc, start, count);
#endif
  return ~by_table(~crc, start, count);
}
