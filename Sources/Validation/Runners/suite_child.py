"""The child of suite.py: what runs in the same process as the code under test."""

import io
import linecache
import threading
import traceback

QUIET_EVENTS = {
    "gc.get_objects", "gc.get_referrers", "gc.get_referents", "sys.settrace", "sys.setprofile",
    "sys._current_frames", "sys.addaudithook", "cpython._PySys_ClearAuditHooks",
}


def watch(parent, hidden):
    """Refuses what only code that reaches for its judge would ask for. It cannot be taken away.

    - hidden: the tools of the tests, into whose frames nobody looks.
    """
    error, own, of = PermissionError, globals(), id
    tools, frames = {id(one) for one in hidden}, {id(one.gi_frame) for one in hidden}
    is_looking = False

    def hook(event, arguments):
        nonlocal is_looking
        if event == "object.__getattr__":
            if arguments[1] == "gi_frame" and of(arguments[0]) in tools:
                raise error(event)
            if arguments[1] == "tb_frame" and not is_looking:
                is_looking = True
                frame = of(arguments[0].tb_frame)
                is_looking = False
                if frame in frames:
                    raise error(event)
            return
        if event in QUIET_EVENTS or event.startswith("ctypes."):
            raise error(event)
        if event == "import" and arguments[0] in ("_ctypes", "_testcapi", "_testinternalcapi"):
            raise error(arguments[0])
        if event == "object.__setattr__" and arguments[1] == "__code__":
            # unittest.mock has reasons to; nobody has any to change the judge.
            if getattr(arguments[0], "__globals__", None) is own:
                raise error("__code__")
        if event in ("os.kill", "os.killpg") and arguments[0] in (parent, -1, 0, 1):
            raise error(event)

    sys.addaudithook(hook)


def run_tests(job, files, channel, token, out_fd):
    become_leader(job, out_fd)
    sys.stdin = open(0, "r", closefd=False)
    sys.setrecursionlimit(1000)
    for path in reversed(sorted({os.path.dirname(module.path) for module in files} | {""})):
        sys.path.insert(0, os.path.join(FOLDER, path) if path else FOLDER)
    sys.argv = [""]
    sys.dont_write_bytecode = True
    os.chdir(FOLDER)
    add_builtins()
    random.seed(job["seed"])
    send = sender(channel, token)
    watch(os.getppid(), [module.tool for module in files])
    try:
        run = run_pytest if job["kind"] == "pytest" else run_unittest
        run(job, files, send)
    except BaseException as error:
        send({"load": {"fault": "code", "message": f"{type(error).__name__}: {error}"[:2000]}})
        os._exit(1)
    os._exit(0)


def add_builtins():
    """`exit` and `quit`, which the site module would have made."""
    import _sitebuiltins
    import builtins

    builtins.quit = _sitebuiltins.Quitter("quit", "Ctrl-D")
    builtins.exit = _sitebuiltins.Quitter("exit", "Ctrl-D")


def sender(channel, token):
    sendall, dumps, head = channel.sendall, to_json, token + " "

    def send(fields):
        sendall((head + dumps(fields) + "\n").encode())

    return send


def load_fault(error, job):
    """Whose fault it is that a file of tests could not be loaded, and what to say."""
    own = {os.path.join(FOLDER, path) for path in job["learner"]}
    frames = traceback.extract_tb(error.__traceback__)
    message = f"{type(error).__name__}: {error}"[:2000]
    if isinstance(error, SyntaxError) and error.filename in own:
        return {"fault": "code", "message": message, "at": place(error.filename, error.lineno)}
    for frame in reversed(frames):
        if frame.filename in own:
            return {"fault": "code", "message": message, "at": place(frame.filename, frame.lineno)}
    if isinstance(error, ModuleNotFoundError):
        known = {"numpy", "pandas", "requests", "hypothesis", "scipy", "attrs", "yaml", "pytest"}
        missing = (error.name or "").partition(".")[0]
        return {"fault": "toolchain" if missing in known else "code", "message": message}
    if isinstance(error, (ImportError, SystemExit, KeyboardInterrupt)):
        return {"fault": "code", "message": message}
    if isinstance(error, AttributeError) and "module" in str(error):
        return {"fault": "code", "message": message}
    return {"fault": "suite", "message": message}


def place(filename, line):
    return f"{os.path.relpath(filename, FOLDER)}:{line}"


def told(kind, value, trace, own):
    """What failed and where in the learner's files; the tests' own lines are not shown."""
    # Of what was handed over to turned_tools.py nothing is said.
    said = [line for line in str(value).split("\n") if " method send of generator " not in line]
    head = f"{kind.__name__}: " + "\n".join(said) if any(said) else kind.__name__
    lines = [head[:4000]]
    for frame in traceback.extract_tb(trace, limit=-60):
        if frame.filename in own:
            lines.append(f"  {place(frame.filename, frame.lineno)}, in {frame.name}")
    return "\n".join(lines[:1] + lines[1:][-5:])


def run_unittest(job, files, send):
    own = {os.path.join(FOLDER, path) for path in job["learner"]}
    sys.meta_path.insert(0, Finder(files, job["learner"]))
    loader = unittest.TestLoader()
    suite = unittest.TestSuite()
    for module in files:
        try:
            suite.addTests(loader.loadTestsFromModule(load(module)))
        except BaseException as error:
            send({"load": load_fault(error, job)})
            os._exit(1)
    linecache.clearcache()
    send({"plan": ids(suite)})
    suite.run(result_class(send, own)())


def ids(suite):
    return [one for part in suite for one in (ids(part) if isinstance(part, unittest.TestSuite)
                                              else [part.id()])]


def result_class(send, own):
    now = time.perf_counter_ns

    class Result(unittest.TestResult):
        def startTest(self, test):
            super().startTest(test)
            self.failed_with = None
            self.taken = sys.stdout = io.StringIO()
            self.began = now()

        def note(self, status, error):
            if self.failed_with is None or (status == "error" and self.failed_with[0] == "fail"):
                self.failed_with = (status, told(*error, own))

        def addFailure(self, test, error):
            self.note("fail", error)

        def addError(self, test, error):
            self.note("error", error)
            if not hasattr(test, "_testMethodName"):  # setUpClass and the like
                send({"load": {"fault": "code", "message": self.failed_with[1]}})

        def addSubTest(self, test, subtest, error):
            if error is not None:
                self.note("fail" if issubclass(error[0], test.failureException) else "error", error)

        def addSkip(self, test, reason):
            self.failed_with = ("error", f"skipped: {reason}")

        def addExpectedFailure(self, test, error):
            pass

        def addUnexpectedSuccess(self, test):
            self.failed_with = ("fail", "unexpected success")

        def stopTest(self, test):
            status, message = self.failed_with or ("pass", "")
            output = self.taken.getvalue()[:500]
            sys.stdout = sys.__stdout__
            send({"test": test.id(), "status": status, "message": message, "output": output,
                  "us": (now() - self.began) // 1000})
            super().stopTest(test)

    return Result


def run_pytest(job, files, send):
    import pytest

    own = {os.path.join(FOLDER, path) for path in job["learner"]}
    made = {os.path.join(FOLDER, module.path): module for module in files}
    faults = []

    class Loaded(pytest.Module):
        def _getobj(self):
            try:
                return load(made[str(self.path)])
            except BaseException as error:
                faults.append(load_fault(error, job))
                raise

    class Plugin:
        def pytest_sessionstart(self):
            # Before pytest's own, which is there by now.
            sys.meta_path.insert(0, Finder(files, job["learner"]))

        def pytest_pycollect_makemodule(self, module_path, parent):
            if str(module_path) in made:
                return Loaded.from_parent(parent, path=module_path)

        def pytest_collection_finish(self, session):
            send({"plan": [item.nodeid for item in session.items]})

        def pytest_runtest_logreport(self, report):
            if report.when == "setup":
                self.status, self.message = "pass", ""
            if report.outcome != "passed" and self.status == "pass":
                self.status = "fail" if report.failed and report.when == "call" else "error"
                self.message = self.said(report)
            if report.when == "teardown":
                send({"test": report.nodeid, "status": self.status, "message": self.message,
                      "output": report.capstdout[:500], "us": int(report.duration * 1e6)})

        @pytest.hookimpl(wrapper=True)
        def pytest_runtest_makereport(self, item, call):
            report = yield
            if call.excinfo is not None:
                error = call.excinfo
                report.hito_message = told(error.type, error.value, error.tb, own)
                if not issubclass(error.type, (AssertionError, pytest.fail.Exception)):
                    report.hito_is_error = True
            return report

        def said(self, report):
            if report.skipped:
                return "skipped"
            if getattr(report, "hito_is_error", False):
                self.status = "error"
            return getattr(report, "hito_message", "")

    options = ["-q", "-p", "no:cacheprovider", "-p", "no:faulthandler", "-c", "/dev/null",
               "--rootdir=" + FOLDER, "--import-mode=importlib", "-W", "ignore", "-o",
               "python_files=*.py"]
    if not any(os.path.basename(path) == "conftest.py" for path in job.get("support", [])):
        options.append("--noconftest")
    pytest.main(options + [module.path for module in files], plugins=[Plugin()])
    if faults:
        send({"load": faults[0]})


def in_child():
    """What a child of the supervisor starts with; None in the supervisor itself."""
    try:
        main()
    except InChild as child:
        return child.args
    return None


start = in_child()
if start is not None:
    try:
        # By these names all of the above could be found.
        sys.modules["__main__"] = types.ModuleType("__main__")
        given, start = list(start), None
        # Nothing of the supervisor waits to be found as garbage.
        gc.collect()
        # Handlers of signals are called in the first thread only, and would be called in the midst of a tool.
        runner = threading.Thread(target=lambda: run_tests(*[given.pop(0) for _ in range(len(given))]))
        runner.start()
        runner.join()
    finally:
        os._exit(99)
