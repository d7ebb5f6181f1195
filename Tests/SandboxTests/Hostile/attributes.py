# expect: exited 0
# says: CONTAINED
# What is written beside files: names with values.
import os
open("a", "w").close()
count = 0
try:
    while count < 1 << 20:
        os.setxattr("a", f"user.{count}", b"x" * 60_000)
        count += 1
except OSError:
    pass
print("CONTAINED" if count * 60_000 <= 128 << 20 else f"ESCAPED {count}")
