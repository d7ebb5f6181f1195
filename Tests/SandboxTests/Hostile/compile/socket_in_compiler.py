# expect: exited 0
# compile: python3
# says: CONTAINED
# Tools get no socket at all.
import socket
try:
    socket.socketpair()
    print("ESCAPED")
except OSError:
    print("CONTAINED")
