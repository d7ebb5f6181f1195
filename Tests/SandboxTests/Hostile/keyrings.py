# expect: exited 0
# says: CONTAINED
# Keys outlive processes and cross namespaces.
import ctypes, os, platform
arm = platform.machine() == "aarch64"
libc = ctypes.CDLL(None, use_errno=True)
results = [libc.syscall(217 if arm else 248, b"user", b"hito", b"x", 1, -3),
           libc.syscall(218 if arm else 249, b"user", b"hito", None, 0),
           libc.syscall(219 if arm else 250, 0, -3, 1)]
print("CONTAINED" if all(r == -1 for r in results) else f"ESCAPED {results}")
