# expect: exited 0
# says: CONTAINED
import os
readable = [p for p in ("/etc/shadow", "/etc/ssh", "/root", "/home", "/var", "/run", "/boot", "/sys/kernel", "/srv",
                        "/proc/kcore", "/dev/mem", "/dev/kmsg", "/dev/vda", "/dev/sda", "/dev/kvm", "/dev/fuse")
            if os.access(p, os.R_OK)]
written = []
for folder in ("/", "/usr", "/usr/bin", "/etc", "/dev", "/proc", "/proc/sys/kernel", "/init", "/lib"):
    try:
        with open(f"{folder}/x", "w"):
            written.append(folder)
    except OSError:
        pass
print("CONTAINED" if not readable and not written else f"ESCAPED {readable} {written}")
