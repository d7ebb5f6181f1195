# expect: exited 0
# says: CONTAINED
# Takes limits away from itself, and gives smaller ones to whoever is there.
import os, resource
escaped = []
for pid in [1, os.getppid()] + [int(name) for name in os.listdir("/proc") if name.isdigit()]:
    if pid == os.getpid():
        continue
    try:
        resource.prlimit(pid, resource.RLIMIT_AS, (1 << 20, 1 << 20))
        escaped.append(pid)
    except (OSError, ValueError):
        pass
for limit in (resource.RLIMIT_NPROC, resource.RLIMIT_NOFILE, resource.RLIMIT_FSIZE, resource.RLIMIT_MEMLOCK):
    hard = resource.getrlimit(limit)[1]
    if hard == resource.RLIM_INFINITY:
        continue
    try:
        resource.setrlimit(limit, (hard, hard + 1))
        escaped.append(limit)
    except (OSError, ValueError):
        pass
print(f"ESCAPED {escaped}" if escaped else "CONTAINED")
