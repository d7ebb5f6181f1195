# expect: exited 0
# says: CONTAINED
# A daemon that lets go of everything, and should outlive nobody.
import os, signal, time
if os.fork() == 0:
    os.setsid()
    for one in range(1, 65):
        try:
            signal.signal(one, signal.SIG_IGN)
        except (OSError, ValueError):
            pass
    if os.fork() == 0:
        os.closerange(0, 100)
        while True:
            time.sleep(0.01)
    os._exit(0)
time.sleep(0.2)
print("CONTAINED")
