# expect: any
# met: processes
# A bomb that never waits, in every process that it gets.
import os, time
end = time.time() + 1
while time.time() < end:
    try:
        os.fork()
    except OSError:
        pass
