"""What every runner inside the sandbox begins with. Its text stands before theirs.

A runner is the only process that holds the report's descriptor. It starts code that nobody trusts as
children, which do not have the descriptor and cannot reach into the runner: it is not dumpable, so that
`/proc` shows them nothing of it.
"""

import _signal as signal  # in C, as _json and others below: what stands around them takes longer to load than the rest
import os
import sys
import time

REPORT_FD = 3
# Where the files of the job stand.
FOLDER = "/work"


def codec():
    """What reads and what writes JSON: those of the module json, without the module."""
    try:
        import _json

        class Format:
            strict, object_hook, object_pairs_hook = True, None, None
            parse_int, parse_float, parse_constant = int, float, float

        scan = _json.make_scanner(Format)
        encode = _json.make_encoder(
            None, repr, _json.encode_basestring_ascii, None, ": ", ", ", False, False, True)

        def read(text):
            value, end = scan(text, 0)
            if end != len(text):
                raise ValueError("more than one value")
            return value

        def write(value):
            return "".join(encode(value, 0))

        if read(write({"a": [1, -2.5, None, True, "\u00f1\n"]})) == {"a": [1, -2.5, None, True, "\u00f1\n"]}:
            return read, write
    except Exception:
        pass  # another Python: then as it is meant to be
    import json

    return json.loads, json.dumps


_read, to_json = codec()


def from_json(data):
    """The value of a text that may be anything; ValueError where it is none."""
    try:
        return _read(data.decode().strip())
    except (ValueError, StopIteration, SystemError, RecursionError, MemoryError):
        raise ValueError("no JSON") from None


class Report:
    """The descriptor that Hito reads, one JSON object a line."""

    def __init__(self):
        self._fd = os.dup(REPORT_FD)
        os.close(REPORT_FD)
        os.set_inheritable(self._fd, False)

    def line(self, **fields):
        data = (to_json(fields) + "\n").encode()
        while data:
            data = data[os.write(self._fd, data):]

    def close(self):
        os.close(self._fd)


def seal():
    """Lets no other process look into this one."""
    import _ctypes

    prctl = _ctypes.dlsym(_ctypes.dlopen(None, 0), "prctl")
    # PR_SET_DUMPABLE, and PR_GET_DUMPABLE.
    if _ctypes.call_function(prctl, (4, 0, 0, 0, 0)) != 0 or _ctypes.call_function(prctl, (3, 0, 0, 0, 0)) != 0:
        raise OSError("prctl")
    # No child finds a foreign function interface ready for use.
    del _ctypes, prctl
    del sys.modules["_ctypes"]


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


class Wall:
    """The time of a run, which is over after `seconds`.

    On a machine that is too busy to run a program nothing is known of it by then: as long as anything beside this
    process is running, or waits for nothing but a processor, it has three times as long.
    """

    OVERTIME = 3
    TICK = 0.02
    # How many more looks must find it idle than ready.
    IDLE = 10

    def __init__(self, seconds):
        self._began = time.monotonic()
        self._seconds = seconds
        self._next_look = 0
        self._idle = 0
        # Whether it was ready to go on when its time was over.
        self.is_starved = False

    def is_over(self):
        """Asked again and again, while the run goes on."""
        now = time.monotonic()
        if now < self._began + self._seconds:
            return False
        if now >= self._next_look:
            self._next_look = now + self.TICK
            self.is_starved = others_are_ready()
            self._idle = max(0, self._idle - 1) if self.is_starved else self._idle + 1
        return self._idle >= self.IDLE or now >= self._began + self.OVERTIME * self._seconds

    def microseconds(self):
        """How long the run has taken."""
        return int((time.monotonic() - self._began) * 1e6)


def others_are_ready():
    """Whether a thread of any other process of the sandbox runs, or waits for nothing but a processor."""
    own = str(os.getpid())
    return any(
        is_ready(f"/proc/{process}/task/{thread}/stat")
        for process in os.listdir("/proc")
        if process.isdigit() and process != own
        for thread in names(f"/proc/{process}/task")
    )


def names(folder):
    try:
        return os.listdir(folder)
    except OSError:
        return []  # it has ended


def is_ready(path):
    try:
        with open(path, "rb") as file:
            # `17 (a name) R 1 ...`: a name may hold anything, and ends with the last bracket.
            return file.read().rpartition(b")")[2][1:2] == b"R"
    except OSError:
        return False  # it has ended


def text(data, limit):
    """Bytes that need not be UTF-8, as text of at most `limit` bytes."""
    return data[:limit].decode("utf-8", "replace")


def spec():
    """What to do. Until it is there nothing of a submission is: a runner may have been started before.

    Its own hashes are always the same; those of the programs that it starts follow the job's seed.
    """
    job = from_json(sys.stdin.buffer.read())
    if "seed" in job:
        os.environ["PYTHONHASHSEED"] = str(job["seed"])
    return job
