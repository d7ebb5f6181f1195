# expect: exited 0
# says: CONTAINED
import os, signal
seen = [int(name) for name in os.listdir("/proc") if name.isdigit()]
for pid in range(2, 70_000):
    if pid == os.getpid():
        continue
    try:
        os.kill(pid, signal.SIGKILL)
        print("ESCAPED", pid)
    except OSError:
        pass
print("CONTAINED" if len(seen) <= 4 else f"ESCAPED {seen}")
