"""What every runner inside the sandbox begins with. Its text stands before theirs.

A runner is the only process that holds the report's descriptor. It starts code that nobody trusts as
children, which do not have the descriptor and cannot reach into the runner: it is not dumpable, so that
`/proc` shows them nothing of it.
"""

import json
import os
import signal
import sys
import time

REPORT_FD = 3
# Where the files of the job stand.
FOLDER = "/work"


class Report:
    """The descriptor that Hito reads, one JSON object a line."""

    def __init__(self):
        self._fd = os.dup(REPORT_FD)
        os.close(REPORT_FD)
        os.set_inheritable(self._fd, False)

    def line(self, **fields):
        data = (json.dumps(fields, ensure_ascii=True) + "\n").encode()
        while data:
            data = data[os.write(self._fd, data):]

    def close(self):
        os.close(self._fd)


def seal():
    """Lets no other process look into this one."""
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(4, 0, 0, 0, 0) != 0:  # PR_SET_DUMPABLE
        raise OSError(ctypes.get_errno(), "prctl")
    # No child finds a foreign function interface ready for use.
    del libc, ctypes
    for name in [name for name in sys.modules if name.partition(".")[0] in ("ctypes", "_ctypes")]:
        del sys.modules[name]


def end_children():
    """Kills whatever still runs beside this process: the sandbox's first process alone is not reached."""
    for _ in range(200):
        try:
            os.kill(-1, signal.SIGKILL)
        except ProcessLookupError:
            return  # nobody is left
        try:
            while os.waitpid(-1, os.WNOHANG)[0] != 0:
                pass
        except ChildProcessError:
            pass
        time.sleep(0.001)


def text(data, limit):
    """Bytes that need not be UTF-8, as text of at most `limit` bytes."""
    return data[:limit].decode("utf-8", "replace")


def spec():
    """What to do. Until it is there nothing of a submission is: a runner may have been started before.

    Its own hashes are always the same; those of the programs that it starts follow the job's seed.
    """
    job = json.loads(sys.stdin.buffer.read())
    if "seed" in job:
        os.environ["PYTHONHASHSEED"] = str(job["seed"])
    return job
