# expect: memory
# Each child takes little; all together take too much.
import os, time
for _ in range(20):
    if os.fork() == 0:
        block = bytearray(16 << 20)
        for i in range(0, len(block), 4096):
            block[i] = 1
        time.sleep(30)
        os._exit(0)
time.sleep(30)
