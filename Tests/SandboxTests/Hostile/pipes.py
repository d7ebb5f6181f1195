# expect: exited 0
# says: CONTAINED
# Memory of the kernel that no process has: what stands in pipes.
import fcntl, os
kept, total = [], 0
try:
    while True:
        ends = os.pipe()
        kept.append(ends)
        try:
            fcntl.fcntl(ends[1], fcntl.F_SETPIPE_SZ, 1 << 20)
        except OSError:
            pass
        os.set_blocking(ends[1], False)
        try:
            while True:
                total += os.write(ends[1], b"x" * 65536)
        except BlockingIOError:
            pass
except OSError:
    pass
print("CONTAINED" if total <= 128 << 20 else f"ESCAPED {total}")
