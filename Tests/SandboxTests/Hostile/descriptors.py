# expect: exited 0
# says: CONTAINED
import os
held = sorted(int(n) for n in os.listdir("/proc/self/fd"))
opened = 0
try:
    while opened < 5000:
        os.open("/dev/null", os.O_RDONLY)
        opened += 1
except OSError:
    pass
print("CONTAINED" if held[-1] <= 3 and opened < 300 else f"ESCAPED {held} {opened}")
