# expect: exited 0
# says: CONTAINED
# Every family and type, by name and by number.
import socket
opened = []
for family in range(50):
    for kind in (1, 2, 3, 5, 1 | 2048):
        try:
            opened.append((family, kind, socket.socket(family, kind, 0)))
        except OSError:
            pass
print("ESCAPED" if opened else "CONTAINED", [o[:2] for o in opened])
