"""Runs tests with node's own runner, each file twice, once turned around (see node_turned.mjs).

Reads {"tests": [paths], "names": [what ids begin with], "own": [paths], "turn", "preload", "reporter", "jest",
"cpu", "wall", "limit", "rounds"}: the programs are texts. Reports as suite.py does.
"""

import binascii

# The processes and the memory of this one, and other programs, are out of reach of what is tested.
PERMISSIONS = ["--experimental-permission"] + [
    f"--allow-fs-{way}={folder}" for folder in (FOLDER, "/tmp") for way in ("read", "write")]


class Module:
    """A file of tests as node gets it: the same in both runs, with the places of its assertions."""

    def __init__(self, path, name, source, judged):
        self.file = path
        self.path = name  # what ids begin with: the file that it was made of
        self.name = name
        self.text = judged["text"] if judged else source
        self.hash = judged["hash"] if judged else ""
        self.tests = judged["tests"] if judged else {}
        self.coins = {}

    def turned_in(self, name):
        return self.coins.get(name)

    def judged(self, run):
        """What node_turned.mjs is told."""
        path = os.path.join(FOLDER, self.file)
        # As numbers of one digit: what is read is of the same length in each run.
        tests = [dict(test, isTurned=int(self.coins[name] == run)) for name, test in self.tests.items()]
        return {"names": [path, "file://" + quoted(path)], "hash": self.hash, "tests": tests}


def main():
    report = Report()
    seal()
    job = spec()
    report.line(begin=True)
    sources = {path: read(path) for path in job["own"]}
    modules = judged_modules(job, sources)
    judge = NodeJudge(modules, report, job["rounds"])
    for number, run in judge.runs():
        for module in modules:
            # What a test of the run before left there does not count.
            for path, source in sources.items():
                write(path, source)
            write(module.file, module.text)
            judge.prefix = module.path + "::"
            ending = node_child(job, module, judge)
            judge.end(number, ending, path=module.path)
        if number == 0:
            report.line(plan=judge.seen)
            if judge.load:
                report.line(load=judge.load)
    judge.say_missing()
    report.line(end=True)


class NodeJudge(Judge):
    """Names tests by their file, and reads what node_reporter.mjs writes."""

    def __init__(self, modules, report, rounds):
        super().__init__(modules, report, rounds)
        self.seen = []
        self.prefix = ""
        self.is_heard = False

    def line(self, fields):
        self.is_heard = True
        fields = {key: binascii.a2b_base64(value).decode("utf-8", "replace")
                  if isinstance(value, str) else value for key, value in fields.items()}
        if "suite" in fields and self.load is None:
            self.load = {"fault": "code", "message": f"{fields['suite']}: {fields['message']}"}
        if "test" not in fields:
            return
        fields["test"] = self.prefix + fields["test"][:400]
        if fields.pop("error", False) and fields["status"] == "fail":
            fields["status"] = "error"
        fields["message"] = told(fields["message"], fields.pop("stack", ""), self.prefix)
        if self.run == 0 and fields["test"] not in self.seen and len(self.seen) < 2000:
            self.seen.append(fields["test"])
        super().line(fields)


def quoted(path):
    """A path as it stands in the address of a file."""
    plain = b"/_.-~abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
    return "".join(chr(byte) if byte in plain else f"%{byte:02X}" for byte in os.fsencode(path))


def told(message, stack, prefix):
    """What failed, and where in the learner's files: the file of the tests is not shown."""
    lines = [message]
    for line in stack.split("\n"):
        place = line.partition(FOLDER + "/")[2].rstrip(")")
        if place and not place.startswith((prefix[:-2], "node_modules/")) and len(lines) < 6:
            lines.append("  " + place)
    return "\n".join(lines)


def read(path):
    with open(os.path.join(FOLDER, path), encoding="utf-8", newline="") as file:
        return file.read()


def write(path, source):
    path = os.path.join(FOLDER, path)
    if os.path.islink(path):
        os.unlink(path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8", newline="") as file:
        file.write(source)


def judged_modules(job, sources):
    def start():
        os.execvpe("node", ["node", "--expose-internals", "--no-warnings", "-e", job["turn"]], os.environ)

    files = [{"path": path, "source": sources[path]} for path in job["tests"]]
    outcome = run_child(start, wall=10, cpu=5, limit=4_000_000,
                        stdin=to_json({"files": files}).encode())
    try:
        judged = from_json(outcome["out"])
    except ValueError:
        judged = [None] * len(files)
    return [Module(file["path"], name, file["source"], one)
            for file, name, one in zip(files, job["names"], judged)]


def node_child(job, module, judge):
    token = os.urandom(16).hex()
    command = ["node", "--no-warnings", "--max-old-space-size=192", *PERMISSIONS]
    for text_of_module in [job["preload"]] + ([job["jest"]] if job.get("jest") else []):
        command += ["--import", module_url(text_of_module)]
    command += ["--test-reporter", module_url(job["reporter"]),
                "--test-reporter-destination", "stdout", module.file]
    given = {"token": token, "isJest": bool(job.get("jest")), **module.judged(judge.run)}
    ending = watched(program(command, job), job, judge, token, to_json(given).encode() + b"\n")
    if not judge.is_heard and ending["exit"] not in (0, -1):
        judge.load = judge.load or load_fault(judge.tail, module)
    return ending


def module_url(program):
    return "data:text/javascript;base64," + binascii.b2a_base64(program.encode(), newline=False).decode()


def load_fault(tail, module):
    """What node wrote when a file of tests could not be loaded."""
    import re

    # Our own modules are named by their whole text.
    message = text(re.sub(rb"data:text/javascript;base64,[\w+/=]*", b"", bytes(tail))[-8000:], 4000)
    first = next((line for line in message.split("\n") if "Error" in line), message[:300])
    own = f"{FOLDER}/{module.file}"
    place = next((line for line in message.split("\n") if FOLDER + "/" in line), "")
    is_syntax = "SyntaxError" in first and place.replace("file://", "").startswith(own)
    is_import = "does not provide an export" in message or "Cannot find module" in message \
        or "Named export" in message
    fault = "suite" if is_syntax and not is_import else "code"
    return {"fault": fault, "message": first.strip()[:2000],
            "at": place.replace("file://", "").strip().removeprefix(FOLDER + "/")[:300]}


main()
