# expect: exited 0
# says: CONTAINED
# Calls that have been doors before: bpf, perf, io_uring, userfaultfd, modules, handles, clocks.
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
import platform
x86 = {"bpf": 321, "perf_event_open": 298, "userfaultfd": 323, "init_module": 175, "open_by_handle_at": 304,
       "name_to_handle_at": 303, "settimeofday": 164, "kexec_load": 246, "swapon": 167, "acct": 163, "syslog": 103,
       "reboot": 169, "kcmp": 312, "shmget": 29, "msgget": 68, "mq_open": 240, "quotactl": 179, "sync": 162}
arm = {"bpf": 280, "perf_event_open": 241, "userfaultfd": 282, "init_module": 105, "open_by_handle_at": 265,
       "name_to_handle_at": 264, "settimeofday": 170, "kexec_load": 104, "swapon": 224, "acct": 89, "syslog": 116,
       "reboot": 142, "kcmp": 272, "shmget": 194, "msgget": 186, "mq_open": 180, "quotactl": 60, "sync": 81}
both = {"io_uring_setup": 425, "pidfd_getfd": 438, "memfd_secret": 447, "process_madvise": 440, "quotactl_fd": 443}
calls = (arm if platform.machine() == "aarch64" else x86) | both
buffer = ctypes.create_string_buffer(4096)
escaped = []
for name, number in calls.items():
    ctypes.set_errno(0)
    result = libc.syscall(number, 1, buffer, 64, 0, 0, 0)
    if result != -1 or ctypes.get_errno() not in (1, 38):
        escaped.append((name, result, ctypes.get_errno()))
print("ESCAPED" if escaped else "CONTAINED", escaped)
