# expect: exited 0
# says: CONTAINED
# Files that are nowhere, but open: no list shows what they take.
import errno, os
kept, total = [], 0
try:
    for number in range(200):
        file = os.open(f"{number}", os.O_CREAT | os.O_RDWR)
        os.unlink(f"{number}")
        kept.append(file)
        total += os.write(file, b"x" * 1_000_000)
        total += os.write(file, b"x" * 1_000_000)
except OSError as error:
    assert error.errno in (errno.ENOSPC, errno.EMFILE), error
if total < 7 << 20 or total > 9 << 20:
    print("ESCAPED", total)
print("CONTAINED")
