# expect: exited 0
# says: CONTAINED
# A hole is no room, and has its limit all the same.
import os, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
try:
    os.truncate(os.open("hole", os.O_RDWR | os.O_CREAT), 1 << 40)
    print("ESCAPED")
except OSError:
    print("CONTAINED")
