# expect: exited 0
# says: CONTAINED
import os
opened = []
for path in ("/proc/sys/kernel/core_pattern", "/proc/sys/kernel/hostname", "/proc/sysrq-trigger", "/proc/sys/vm/drop_caches",
             "/proc/1/oom_score_adj", "/proc/1/attr/current", "/proc/1/timerslack_ns", "/proc/self/setgroups", "/proc/irq/default_smp_affinity"):
    try:
        with open(path, "w") as file:
            file.write("0")
            file.flush()
        opened.append(path)
    except OSError:
        pass
for path in ("/proc/self/uid_map", "/proc/self/gid_map"):
    try:
        with open(path, "w") as file:
            file.write("0 0 1")
            file.flush()
        opened.append(path)
    except OSError:
        pass
maps = open("/proc/self/mountinfo").read()
if "/sys/fs/cgroup" in maps or " / / " in maps and "ext4" in maps.split("\n")[0]:
    opened.append("mounts of the host")
try:
    # A process may be made likelier to be ended, never less likely.
    with open("/proc/self/oom_score_adj", "w") as file:
        file.write("-1000")
        file.flush()
    opened.append("oom_score_adj")
except OSError:
    pass
print("CONTAINED" if not opened else f"ESCAPED {opened}")
