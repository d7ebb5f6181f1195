"""What suite.py, node.py and lines.py share: a child that is watched, and results of two runs, of which one is
turned around (see turned.py)."""

import _socket as socket
import resource
import select

TAIL = 100_000  # bytes of what a child wrote last


def microseconds(value):
    """What was said of a duration, which may be anything."""
    return value if type(value) is int and 0 <= value < 1 << 53 else 0


class Judge:
    """Compares the two runs of each test, and reports a result once both are known, in every round.

    What a test tells of itself is worth a guess in each round: the fewer tests, the more rounds.
    """

    def __init__(self, modules, report, rounds):
        self.modules, self.report, self.rounds = modules, report, rounds
        self.plan = None
        self.load = None
        self.said = set()
        self.held = {}  # how many rounds each test has passed
        self.is_over = False
        self.tail = bytearray()  # what the child wrote last

    def runs(self):
        """The number of each run, and which of the two of its round it is. In each round lots are drawn anew."""
        for number in range(2 * self.rounds if any(module.tests for module in self.modules) else 1):
            self.run = number % 2
            if self.run == 0:
                if number > 0 and (self.is_over or self.said.issuperset(self.held)):
                    return  # there is nothing to confirm
                self.results = [{}, {}]
                for module in self.modules:
                    module.coins = {name: os.urandom(1)[0] & 1 for name in module.tests}
            yield number, self.run

    def end(self, number, ending, **fields):
        """Reports how a run ended. After one that met its limit there are no more rounds."""
        self.is_over = self.is_over or ending["cpu_out"] or ending["timed_out"]
        self.report.line(run=number, **fields, **ending)

    def hear(self, line):
        """A line of the child's, which may be anything."""
        try:
            self.line(from_json(line))
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
        turned = self.turned_run(name)
        if turned is None:
            if self.run == 0:
                self.say(self.results[0][name])
            return
        real, check = self.results[1 - turned].get(name), self.results[turned].get(name)
        if real and real.get("status") != "pass":
            self.say(real)
        elif real and check and check.get("status") == "pass":
            self.say(dict(real, status="error", forged=True, message=""))
        elif real:
            self.held.setdefault(name, 0)
            if check:
                self.held[name] += 1
                if self.held[name] == self.rounds:
                    self.say(real)

    def say(self, fields):
        if fields["test"] not in self.said and len(self.said) < 2000:
            self.said.add(fields["test"])
            self.report.line(
                test=fields["test"], status=fields.get("status"), us=microseconds(fields.get("us")),
                forged=fields.get("forged", False), message=str(fields.get("message", ""))[:8000],
                output=str(fields.get("output", ""))[:500])

    def say_missing(self):
        """Of tests that passed, and of which a run that should have confirmed it ended before it could."""
        for name in self.held:
            if name not in self.said:
                self.report.line(test=name, status="error", us=0, unconfirmed=True, message="", output="")

    def turned_run(self, name):
        for module in self.modules:
            if name.startswith(module.path + "::"):
                qualified = name[len(module.path) + 2:].partition("[")[0]
                return module.turned_in(qualified.replace("::", "."))
            if "::" not in name and name.startswith(module.name + "."):
                return module.turned_in(name[len(module.name) + 1:])
        return None


def watched(start, job, judge, token=None, greeting=b""):
    """Forks a child for one run and reads what it says. Answers with how it ended.

    - start: called in the child with its end of the channel and where it writes; it must not return.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    out_read, out_write = os.pipe()
    wall = Wall(job["wall"])
    pid = os.fork()
    if pid == 0:
        judge.report.close()
        ours.close()
        os.close(out_read)
        start(theirs, out_write)
    theirs.close()
    os.close(out_write)
    try:
        ours.sendall(greeting)
    except OSError:
        pass  # it has ended, which is told below
    cut, timed_out = drain(ours, out_read, token, judge, wall, job["limit"], pid)
    ending = dict(ended(pid, job, wall), cut=cut, timed_out=timed_out, starved=timed_out and wall.is_starved)
    ours.close()
    os.close(out_read)
    return ending


def become_leader(job, out_write):
    """Of a child: a session of its own, no input, what it writes, and its processor time."""
    os.setsid()
    null = os.open("/dev/null", os.O_RDONLY)
    os.dup2(null, 0)
    os.dup2(out_write, 1)
    os.dup2(out_write, 2)
    resource.setrlimit(resource.RLIMIT_CPU, (job["cpu"], job["cpu"] + 1))


def program(command, job):
    """What starts a command that finds the channel as descriptor 3."""

    def start(channel, out_write):
        try:
            kept = os.dup(channel.fileno())
            become_leader(job, out_write)
            os.dup2(kept, 3)
            os.set_inheritable(3, True)  # where it was 3 already, dup2 changed nothing
            os.closerange(4, 256)
            os.chdir(FOLDER)
            os.execvpe(command[0], command, os.environ)
        except OSError as error:
            os.write(2, str(error).encode())
        finally:
            os._exit(127)

    return start


def drain(channel, out_read, token, judge, wall, limit, pid):
    """Reads lines until the child has ended; only those count that begin with the token, where there is one.

    Answers with whether it wrote too much, and whether its time was over.
    """
    buffer = b""
    written = 0
    taken = 0
    open_fds = {channel.fileno(), out_read}
    timed_out = False
    ended = None
    while open_fds:
        if ended is None and os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            ended = time.monotonic()
        if ended is not None and time.monotonic() - ended > 0.05:
            break
        if not timed_out and wall.is_over():
            timed_out = True
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
                judge.tail = (judge.tail + data)[-TAIL:]
                if written > limit:
                    os.kill(pid, signal.SIGKILL)
            else:
                taken += len(data)
                if taken > 8_000_000:
                    os.kill(pid, signal.SIGKILL)
                    return True, timed_out
                buffer += data
                *lines, buffer = buffer.split(b"\n")
                for line in lines:
                    if token is None:
                        judge.hear(line)
                    elif line.startswith(token.encode() + b" "):
                        judge.hear(line[len(token) + 1:])
    pause = 0.0001
    while ended is None and not os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
        if not timed_out and wall.is_over():
            timed_out = True
            os.kill(pid, signal.SIGKILL)
        time.sleep(pause)
        pause = min(2 * pause, 0.002)
    return written > limit, timed_out


def ended(pid, job, wall):
    """Waits for a child and whatever it left running; how it ended."""
    _, status, usage = os.wait4(pid, 0)
    end_children()
    cpu_us = int((usage.ru_utime + usage.ru_stime) * 1e6)
    signalled = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
    return {
        "exit": os.WEXITSTATUS(status) if os.WIFEXITED(status) else -1, "signal": signalled,
        "cpu_us": cpu_us,
        "cpu_out": signalled == signal.SIGXCPU or cpu_us >= job["cpu"] * 1e6,
        "wall_us": wall.microseconds(),
    }
