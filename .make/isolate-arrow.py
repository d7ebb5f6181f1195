#!/usr/bin/env python3
"""Hides the bundled OpenSSL of the PyPI wheel's libparquet from the rest of a process.

The wheel's libparquet exports thousands of unprefixed libcrypto symbols (EVP_*, CRYPTO_*, X509_*).
In a process that also uses the system's OpenSSL, libssl and libpq may then bind to the wrong copy.
This tool gives every exported C symbol of libparquet hidden visibility (one byte of its entry in
.dynsym): the dynamic linker then resolves libparquet's own references inside libparquet and no
other object can see them. The C++ interface (mangled names) is untouched. Idempotent; the file is
replaced by rename. A libparquet that exports no OpenSSL (Apache's Debian packages) is left alone.

    .make/isolate-arrow.py LIBPARQUET_SO          patch
    .make/isolate-arrow.py --check LIBPARQUET_SO  exit 1 if anything is still exported
"""
import os
import struct
import sys
import tempfile

SHT_DYNSYM = 11
STB_GLOBAL, STB_WEAK = 1, 2
STV_DEFAULT, STV_HIDDEN = 0, 2
# Only names that the linker or the loader itself defines may stay visible beside C++ names.
KEPT = {"_init", "_fini", "_edata", "_end", "__bss_start"}


def exported_c_symbols(image):
    """Yields (offset of st_other, name) of every defined, visible symbol that is not a C++ name."""
    if image[:4] != b"\x7fELF" or image[4] != 2 or image[5] != 1:
        raise SystemExit("not a 64-bit little-endian ELF file")
    table, = struct.unpack_from("<Q", image, 0x28)
    size, count, _ = struct.unpack_from("<HHH", image, 0x3A)
    for index in range(count):
        at = table + index * size
        kind, = struct.unpack_from("<I", image, at + 4)
        if kind != SHT_DYNSYM:
            continue
        offset, length = struct.unpack_from("<QQ", image, at + 24)
        link, = struct.unpack_from("<I", image, at + 40)
        strings, = struct.unpack_from("<Q", image, table + link * size + 24)
        for entry in range(offset, offset + length, 24):
            name_at, info, other, section = struct.unpack_from("<IBBH", image, entry)
            if section == 0 or info >> 4 not in (STB_GLOBAL, STB_WEAK):
                continue
            if other & 3 != STV_DEFAULT:
                continue
            start = strings + name_at
            name = image[start:image.index(b"\0", start)].decode("ascii", "replace")
            if not name.startswith("_Z") and name not in KEPT:
                yield entry + 5, name


def main(arguments):
    check = arguments[:1] == ["--check"]
    paths = arguments[1:] if check else arguments
    if len(paths) != 1:
        raise SystemExit(__doc__)
    path = os.path.realpath(paths[0])
    with open(path, "rb") as file:
        image = bytearray(file.read())
    found = list(exported_c_symbols(image))
    if not any(name.startswith(("EVP_", "CRYPTO_", "X509_")) for _, name in found):
        print(f"{path}: no OpenSSL symbol is exported")
        return 0
    if check:
        print(f"{path}: {len(found)} C symbols are exported, for example {found[0][1]}")
        return 1
    for at, _ in found:
        image[at] = image[at] & ~3 | STV_HIDDEN
    descriptor, temporary = tempfile.mkstemp(dir=os.path.dirname(path))
    with os.fdopen(descriptor, "wb") as file:
        file.write(image)
        file.flush()
        os.fsync(file.fileno())
    os.chmod(temporary, os.stat(path).st_mode & 0o7777)
    os.rename(temporary, path)
    print(f"{path}: {len(found)} C symbols hidden")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
