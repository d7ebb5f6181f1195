# expect: exited 0
# says: CONTAINED
mknod disk b 254 0 2>/dev/null && echo ESCAPED
mknod memory c 1 1 2>/dev/null && echo ESCAPED
mkfifo pipe && echo CONTAINED
