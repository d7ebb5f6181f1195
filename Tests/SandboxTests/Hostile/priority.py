# expect: exited 0
# says: CONTAINED
import os
escaped = []
for act in (lambda: os.nice(-5), lambda: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1)),
            lambda: os.setpriority(os.PRIO_USER, 0, -10)):
    try:
        act()
        escaped.append(act)
    except OSError:
        pass
print("ESCAPED" if escaped else "CONTAINED")
