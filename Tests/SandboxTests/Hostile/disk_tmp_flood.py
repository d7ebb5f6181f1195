# expect: exited 0
# met: disk
# says: CONTAINED
# /tmp and /dev/shm are one, and bounded.
import errno
total = 0
for folder in ("/tmp", "/dev/shm"):
    try:
        for i in range(200):
            with open(f"{folder}/f{i}", "wb") as file:
                total += file.write(b"x" * 1_000_000)
    except OSError as error:
        assert error.errno == errno.ENOSPC, error
print("CONTAINED" if total <= 9 << 20 else "ESCAPED")
