"""What suite.py and node.py share: results of two runs, of which one is turned around (see turned.py)."""

import select


class Judge:
    """Compares the two runs of each test, and reports a result once both are known."""

    def __init__(self, modules, results, run, is_turned, report):
        self.modules, self.results, self.run = modules, results, run
        self.report = report
        self.plan = None
        self.load = None
        self.said = results[0].setdefault("", set())
        self.tail = bytearray()  # what the child wrote last

    def hear(self, line):
        """A line of the child's, which may be anything."""
        try:
            self.line(json.loads(line))
        except (ValueError, AttributeError, TypeError, KeyError):
            pass

    def line(self, fields):
        if "plan" in fields and self.plan is None:
            self.plan = [str(name)[:500] for name in fields["plan"][:2000]]
        elif "load" in fields and self.load is None:
            self.load = fields["load"]
        elif "test" in fields:
            name = str(fields["test"])
            # The first word counts: nothing takes a failure back.
            if name and name not in self.results[self.run]:
                self.results[self.run][name] = fields
                self.settle(name)

    def settle(self, name):
        turned = turned_run(name, self.modules)
        if turned is None:
            if self.run == 0:
                self.say(self.results[0][name])
            return
        real = self.results[1 - turned].get(name) if len(self.results) > 1 - turned else None
        check = self.results[turned].get(name) if len(self.results) > turned else None
        if real and real.get("status") != "pass":
            self.say(real)
        elif real and check:
            if check.get("status") == "pass":
                real = dict(real, status="error", forged=True, message="")
            self.say(real)

    def say(self, fields):
        if fields["test"] not in self.said and len(self.said) < 2000:
            self.said.add(fields["test"])
            self.report.line(
                test=fields["test"], status=fields.get("status"), us=fields.get("us", 0),
                forged=fields.get("forged", False), message=str(fields.get("message", ""))[:8000],
                output=str(fields.get("output", ""))[:500])


def judge_missing(name, modules, results, report):
    said = results[0][""]
    if name in said:
        return
    turned = turned_run(name, modules)
    if turned is not None and len(results) > 1 and name in results[1 - turned]:
        # It passed, and the run that should have confirmed it ended before it could.
        report.line(test=name, status="error", us=0, unconfirmed=True, message="", output="")


def turned_run(name, modules):
    for module in modules:
        if name.startswith(module.path + "::"):
            qualified = name[len(module.path) + 2:].partition("[")[0]
            return module.turned_in(qualified.replace("::", "."))
        if "::" not in name and name.startswith(module.name + "."):
            return module.turned_in(name[len(module.name) + 1:])
    return None


def drain(channel, out_read, token, judge, deadline, limit, pid):
    """Reads lines until the child has ended; only those count that begin with the token, where there is one."""
    buffer = b""
    written = 0
    taken = 0
    open_fds = {channel.fileno(), out_read}
    ended = None
    while open_fds:
        if ended is None and os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            ended = time.monotonic()
        if ended is not None and time.monotonic() - ended > 0.05:
            break
        if time.monotonic() >= deadline:
            os.kill(pid, signal.SIGKILL)
        for fd in select.select(list(open_fds), [], [], 0.02 if ended is None else 0.005)[0]:
            try:
                data = os.read(fd, 65536)
            except ConnectionResetError:  # it ended before it had read its token
                data = b""
            if not data:
                open_fds.discard(fd)
            elif fd == out_read:
                written += len(data)
                judge.tail = (judge.tail + data)[-8000:]
                if written > limit:
                    os.kill(pid, signal.SIGKILL)
            else:
                taken += len(data)
                if taken > 8_000_000:
                    os.kill(pid, signal.SIGKILL)
                    return True
                buffer += data
                *lines, buffer = buffer.split(b"\n")
                for line in lines:
                    if token is None:
                        judge.hear(line)
                    elif line.startswith(token.encode() + b" "):
                        judge.hear(line[len(token) + 1:])
    while ended is None and not os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
        if time.monotonic() >= deadline:
            os.kill(pid, signal.SIGKILL)
        time.sleep(0.002)
    return written > limit


def ended(pid, job, began, cut):
    """Waits for a child and whatever it left running; how it ended."""
    timed_out = time.monotonic() - began >= job["wall"]
    _, status, usage = os.wait4(pid, 0)
    end_children()
    cpu_us = int((usage.ru_utime + usage.ru_stime) * 1e6)
    signalled = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
    return {
        "exit": os.WEXITSTATUS(status) if os.WIFEXITED(status) else -1, "signal": signalled,
        "timed_out": timed_out, "cut": cut, "cpu_us": cpu_us,
        "cpu_out": signalled == signal.SIGXCPU or cpu_us >= job["cpu"] * 1e6,
        "wall_us": int((time.monotonic() - began) * 1e6),
    }
