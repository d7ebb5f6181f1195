"""Runs a command as a child and keeps what it writes, within limits."""

import resource
import select


class Child:
    """A child with pipes for what it reads and writes, in a session of its own.

    - given: called in the child; answers with what to do, which must not return, and with the limits of
      processor time (s) and memory (bytes, or None). What it reads until then comes by `tell`.
    """

    def __init__(self, given):
        pipes = [os.pipe() for _ in range(4)]  # input, output, errors, and what it is told
        self.pid = os.fork()
        if self.pid == 0:
            self._become(given, pipes)
        (stdin, self._input), (self._output, stdout), (self._errors, stderr), (told, self._told) = pipes
        for theirs in (stdin, stdout, stderr, told):
            os.close(theirs)

    @staticmethod
    def _become(given, pipes):
        try:
            os.setsid()
            for target, end in enumerate((pipes[0][0], pipes[1][1], pipes[2][1], pipes[3][0])):
                os.dup2(end, target)
            os.closerange(4, 256)
            start, cpu, memory = given()
            os.close(3)
            resource.setrlimit(resource.RLIMIT_CPU, (cpu, cpu + 1))
            if memory:
                resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
            start()
        except FileNotFoundError as error:
            os.write(2, str(error).encode())
            os._exit(127)
        except BaseException as error:
            os.write(2, repr(error).encode()[:4000])
            os._exit(126)
        os._exit(0)

    def tell(self, data):
        """Writes what it waits for, which ends with `outcome`."""
        os.write(self._told, data)

    def outcome(self, *, wall, cpu, limit, stdin=b"", end_at_limit=False):
        """What becomes of it from now on."""
        wall = Wall(wall)
        os.close(self._told)
        kept, cut, timed_out = _converse(
            self.pid, self._input, self._output, self._errors, stdin, wall, limit, end_at_limit)
        _, status, usage = os.wait4(self.pid, 0)
        signalled = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
        cpu_us = int((usage.ru_utime + usage.ru_stime) * 1e6)
        return {
            "exit": os.WEXITSTATUS(status) if os.WIFEXITED(status) else -1,
            "signal": signalled,
            "timed_out": timed_out,
            "starved": timed_out and wall.is_starved,
            # A compiler's driver only says that what it started was ended.
            "cpu_out": signalled == signal.SIGXCPU or (status != 0 and cpu_us >= cpu * 1e6),
            "cut": cut,
            "cpu_us": cpu_us,
            "wall_us": wall.microseconds(),
            "out": bytes(kept[0]),
            "err": bytes(kept[1]),
        }


def run_child(start, *, cpu, memory=None, **options):
    """A child that does `start` at once; what became of it."""
    return Child(lambda: (start, cpu, memory)).outcome(cpu=cpu, **options)


def _converse(pid, stdin_fd, out_fd, err_fd, stdin, wall, limit, end_at_limit):
    poll = select.poll()
    kept = {out_fd: bytearray(), err_fd: bytearray()}
    cut = timed_out = False
    open_fds = set()

    def watch(fd, event):
        os.set_blocking(fd, False)
        poll.register(fd, event)
        open_fds.add(fd)

    def drop(fd):
        poll.unregister(fd)
        open_fds.discard(fd)
        os.close(fd)

    for fd in kept:
        watch(fd, select.POLLIN)
    if stdin:
        watch(stdin_fd, select.POLLOUT)
    else:
        os.close(stdin_fd)
    ended = None
    while open_fds:
        # What the child left running may hold its pipes: it is not waited for.
        if ended is None and _has_ended(pid):
            ended = time.monotonic()
        if ended is not None and time.monotonic() - ended > 0.05:
            break
        if not timed_out and wall.is_over():
            timed_out = True
            os.kill(pid, signal.SIGKILL)
        for fd, _ in poll.poll(20 if ended is None else 5):
            if fd == stdin_fd:
                try:
                    stdin = stdin[os.write(fd, stdin[:65536]):]
                except OSError:
                    stdin = b""
                if not stdin:
                    drop(fd)
                continue
            data = os.read(fd, 65536)
            if not data:
                drop(fd)
                continue
            room = limit - len(kept[out_fd]) - len(kept[err_fd])
            kept[fd] += data[: max(0, room)]
            if len(data) > room:
                if end_at_limit and not cut:
                    os.kill(pid, signal.SIGKILL)
                cut = True
    for fd in list(open_fds):
        drop(fd)
    pause = 0.0001
    while not timed_out and not _has_ended(pid):
        if wall.is_over():
            timed_out = True
            os.kill(pid, signal.SIGKILL)
        time.sleep(pause)
        pause = min(2 * pause, 0.002)
    return list(kept.values()), cut, timed_out


def _has_ended(pid):
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
