# expect: exited 0
# says: CONTAINED
# The parent of all, the whole group, everybody.
import os, signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
os.kill(1, signal.SIGKILL)
os.kill(0, signal.SIGTERM)
try:
    os.kill(-1, signal.SIGTERM)
except ProcessLookupError:
    pass
print("CONTAINED", flush=True)
