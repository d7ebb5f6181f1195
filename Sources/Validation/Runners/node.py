"""Runs tests with node's own runner, each file twice, once turned around (see turned.py).

Reads {"tests": [paths], "own": [paths], "turn", "preload", "reporter", "jest", "cpu", "wall", "limit"}: the
programs are texts. Reports as suite.py does.
"""

import base64
import resource
import socket


class Module:
    def __init__(self, path, source, variants):
        self.path = path
        self.name = path
        self.source = source
        self.texts = variants["texts"] if variants else [source, source]
        self.coins = variants["coins"] if variants else {}

    def turned_in(self, name):
        return self.coins.get(name)


def main():
    report = Report()
    seal()
    job = spec()
    report.line(begin=True)
    sources = {path: read(path) for path in job["own"]}
    modules = turned_modules(job, sources)
    results = []
    plan = []
    for run in (0, 1) if any(module.coins for module in modules) else (0,):
        results.append({})
        judge = NodeJudge(modules, results, run, report)
        for module in modules:
            # What a test of the run before left there does not count.
            for path, source in sources.items():
                write(path, source)
            write(module.path, module.texts[run])
            judge.prefix = module.path + "::"
            ending = node_child(job, module, judge)
            report.line(run=run, path=module.path, **ending)
        if run == 0:
            plan = judge.seen
            report.line(plan=plan)
            if judge.load:
                report.line(load=judge.load)
    for name in plan:
        judge_missing(name, modules, results, report)
    report.line(end=True)


class NodeJudge(Judge):
    """Names tests by their file, and reads what node_reporter.mjs writes."""

    def __init__(self, modules, results, run, report):
        super().__init__(modules, results, run, True, report)
        self.seen = []
        self.prefix = ""
        self.is_heard = False

    def line(self, fields):
        self.is_heard = True
        fields = {key: base64.b64decode(value).decode("utf-8", "replace")
                  if isinstance(value, str) else value for key, value in fields.items()}
        if "suite" in fields and self.load is None:
            self.load = {"fault": "code", "message": f"{fields['suite']}: {fields['message']}"}
        if "test" not in fields:
            return
        fields["test"] = self.prefix + fields["test"][:400]
        if fields.pop("error", False) and fields["status"] == "fail":
            fields["status"] = "error"
        fields["message"] = told(fields["message"], fields.pop("stack", ""), self.prefix)
        if self.run == 0 and len(self.seen) < 2000:
            self.seen.append(fields["test"])
        super().line(fields)


def told(message, stack, prefix):
    """What failed, and where in the learner's files: the file of the tests is not shown."""
    lines = [message]
    for line in stack.split("\n"):
        place = line.partition("/work/")[2].rstrip(")")
        if place and not place.startswith((prefix[:-2], "node_modules/")) and len(lines) < 6:
            lines.append("  " + place)
    return "\n".join(lines)


def read(path):
    with open(os.path.join("/work", path), encoding="utf-8", newline="") as file:
        return file.read()


def write(path, source):
    path = os.path.join("/work", path)
    if os.path.islink(path):
        os.unlink(path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8", newline="") as file:
        file.write(source)


def turned_modules(job, sources):
    def start():
        os.execvpe("node", ["node", "--expose-internals", "--no-warnings", "-e", job["turn"]], os.environ)

    files = [{"path": path, "source": sources[path]} for path in job["tests"]]
    outcome = run_child(start, wall=10, cpu=5, limit=4_000_000,
                        stdin=json.dumps({"files": files}).encode())
    try:
        variants = json.loads(outcome["out"])
    except ValueError:
        variants = [None] * len(files)
    return [Module(file["path"], file["source"], one) for file, one in zip(files, variants)]


def node_child(job, module, judge):
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    token = os.urandom(16).hex()
    out_read, out_write = os.pipe()
    began = time.monotonic()
    ours.sendall(token.encode() + b"\n")
    pid = os.fork()
    if pid == 0:
        try:
            os.setsid()
            null = os.open("/dev/null", os.O_RDONLY)
            kept = os.dup(theirs.fileno())
            os.dup2(null, 0)
            os.dup2(out_write, 1)
            os.dup2(out_write, 2)
            os.dup2(kept, 3)
            os.set_inheritable(3, True)  # where it was 3 already, dup2 changed nothing
            os.closerange(4, 256)
            os.chdir("/work")
            resource.setrlimit(resource.RLIMIT_CPU, (job["cpu"], job["cpu"] + 1))
            command = ["node", "--no-warnings", "--max-old-space-size=192"]
            for program in [job["preload"]] + ([job["jest"]] if job.get("jest") else []):
                command += ["--import", module_url(program)]
            command += ["--test-reporter", module_url(job["reporter"]),
                        "--test-reporter-destination", "stdout", module.path]
            os.execvpe("node", command, os.environ)
        finally:
            os._exit(99)
    theirs.close()
    os.close(out_write)
    cut = drain(ours, out_read, token, judge, began + job["wall"], job["limit"], pid)
    ending = ended(pid, job, began, cut)
    ours.close()
    os.close(out_read)
    if not judge.is_heard and ending["exit"] not in (0, -1):
        judge.load = judge.load or load_fault(judge.tail, module)
    return ending


def module_url(program):
    return "data:text/javascript;base64," + base64.b64encode(program.encode()).decode()


def load_fault(tail, module):
    """What node wrote when a file of tests could not be loaded."""
    message = text(bytes(tail), 4000)
    first = next((line for line in message.split("\n") if "Error" in line), message[:300])
    own = "/work/" + module.path
    place = next((line for line in message.split("\n") if "/work/" in line), "")
    is_syntax = "SyntaxError" in first and place.replace("file://", "").startswith(own)
    is_import = "does not provide an export" in message or "Cannot find module" in message \
        or "Named export" in message
    fault = "suite" if is_syntax and not is_import else "code"
    return {"fault": fault, "message": first.strip()[:2000],
            "at": place.replace("file://", "").strip().removeprefix("/work/")[:300]}


main()
