# expect: exited 0
# met: disk
# says: CONTAINED
made = 0
try:
    for i in range(100_000):
        open(f"f{i}", "w").close()
        made += 1
except OSError as error:
    print("CONTAINED" if made <= 300 else "ESCAPED", error.errno)
