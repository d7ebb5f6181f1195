# expect: exited 0
# says: CONTAINED
import os
try:
    os.execv("/bin/true", ["true"] + ["x" * 100_000] * 100)
except OSError:
    pass
for i in range(200):
    os.environ[f"V{i}"] = "y" * 100_000
try:
    os.execve("/bin/true", ["true"], os.environ)
except OSError:
    print("CONTAINED")
