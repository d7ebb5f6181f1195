# expect: exited 0
# says: CONTAINED
# A pair of Unix sockets is let through, and connects to nothing else.
import socket
a, b = socket.socketpair()
for act in (lambda: a.connect("\0name"), lambda: a.bind("/tmp/s"), lambda: a.listen(), lambda: socket.socketpair(2)):
    try:
        act()
        print("ESCAPED")
    except OSError:
        pass
a.send(b"x")
print("CONTAINED" if b.recv(1) == b"x" else "BROKEN")
