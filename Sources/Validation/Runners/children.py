"""Runs a command as a child and keeps what it writes, within limits."""

import resource
import selectors


def run_child(start, *, wall, cpu, limit, stdin=b"", memory=None, end_at_limit=False):
    """Forks; the child calls `start`, which must not return. Answers with what became of it."""
    pipes = [os.pipe() for _ in range(3)]  # input, output, errors
    began = time.monotonic()
    pid = os.fork()
    if pid == 0:
        try:
            os.setsid()
            os.dup2(pipes[0][0], 0)
            os.dup2(pipes[1][1], 1)
            os.dup2(pipes[2][1], 2)
            os.closerange(3, 256)
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
    os.close(pipes[0][0])
    os.close(pipes[1][1])
    os.close(pipes[2][1])
    kept, cut, timed_out = _converse(
        pid, pipes[0][1], pipes[1][0], pipes[2][0], stdin, began + wall, limit, end_at_limit
    )
    _, status, usage = os.wait4(pid, 0)
    signalled = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
    cpu_us = int((usage.ru_utime + usage.ru_stime) * 1e6)
    return {
        "exit": os.WEXITSTATUS(status) if os.WIFEXITED(status) else -1,
        "signal": signalled,
        "timed_out": timed_out,
        # A compiler's driver only says that what it started was ended.
        "cpu_out": signalled == signal.SIGXCPU or (status != 0 and cpu_us >= cpu * 1e6),
        "cut": cut,
        "cpu_us": cpu_us,
        "wall_us": int((time.monotonic() - began) * 1e6),
        "out": bytes(kept[0]),
        "err": bytes(kept[1]),
    }


def _converse(pid, stdin_fd, out_fd, err_fd, stdin, deadline, limit, end_at_limit):
    selector = selectors.DefaultSelector()
    kept = [bytearray(), bytearray()]
    cut = timed_out = False
    for index, fd in enumerate((out_fd, err_fd)):
        os.set_blocking(fd, False)
        selector.register(fd, selectors.EVENT_READ, index)
    if stdin:
        os.set_blocking(stdin_fd, False)
        selector.register(stdin_fd, selectors.EVENT_WRITE, None)
    else:
        os.close(stdin_fd)
    ended = None
    while selector.get_map():
        now = time.monotonic()
        # What the child left running may hold its pipes: it is not waited for.
        if ended is None and _has_ended(pid):
            ended = now
        if ended is not None and now - ended > 0.05:
            break
        if now >= deadline and not timed_out:
            timed_out = True
            os.kill(pid, signal.SIGKILL)
        for key, _ in selector.select(0.02 if ended is None else 0.005):
            if key.data is None:
                try:
                    stdin = stdin[os.write(key.fd, stdin[:65536]):]
                except OSError:
                    stdin = b""
                if not stdin:
                    selector.unregister(key.fd)
                    os.close(key.fd)
                continue
            data = os.read(key.fd, 65536)
            if not data:
                selector.unregister(key.fd)
                os.close(key.fd)
                continue
            room = limit - len(kept[0]) - len(kept[1])
            kept[key.data] += data[: max(0, room)]
            if len(data) > room:
                if end_at_limit and not cut:
                    os.kill(pid, signal.SIGKILL)
                cut = True
    for key in list(selector.get_map().values()):
        os.close(key.fd)
    # Now, not when it is collected: its number may by then be another's, in a child too.
    selector.close()
    while not timed_out and not _has_ended(pid):
        if time.monotonic() >= deadline:
            timed_out = True
            os.kill(pid, signal.SIGKILL)
        time.sleep(0.002)
    return kept, cut, timed_out


def _has_ended(pid):
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
