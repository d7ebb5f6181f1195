"""Runs a suite of unittest or pytest tests, each in a child that this process watches.

Reads {"kind", "tests": [paths], "learner": [paths], "tools", "cpu", "wall", "limit", "seed"}. Reports
{"broken"} where a file of the suite does not parse, {"load"} where one could not be loaded, {"plan"} with
the ids found, {"test"} per test as soon as its result is sure, and {"end"}.
"""

import ast
import random
import resource
import socket
import types
import unittest  # noqa: F401  (before anything of the learner's could take its name)

FOLDER = "/work"


class Broken(Exception):
    pass


class Module:
    """A file of tests, parsed, and what was turned around in which of the two runs."""

    def __init__(self, path, prefix):
        self.path = path
        self.name = path.removesuffix(".py").replace("/", ".")
        with open(os.path.join(FOLDER, path), "rb") as file:
            self.source = file.read()
        self.coins = {}
        self.trees = [self.parsed(), self.parsed()]
        self.bases = bases(self.trees[0])
        secret = random.SystemRandom()
        for run, tree in enumerate(self.trees):
            for name, function in test_functions(tree):
                if run == 0:
                    self.coins[name] = secret.randrange(2)
                if self.coins.get(name) == run and not turn(function, prefix):
                    del self.coins[name]

    def parsed(self):
        try:
            return ast.parse(self.source, self.path)
        except (SyntaxError, ValueError, RecursionError) as error:
            line = getattr(error, "lineno", None) or 1
            raise Broken(f"{self.path}, line {line}: {getattr(error, 'msg', None) or error}") from None

    def code(self, run, rewrite):
        tree = ast.fix_missing_locations(self.trees[run])
        if rewrite:
            rewrite(tree, self.source, os.path.join(FOLDER, self.path))
        return compile(tree, os.path.join(FOLDER, self.path), "exec", dont_inherit=True)

    def turned_in(self, qualified):
        """The run in which a test is turned around; None where it never is."""
        owner, _, name = qualified.rpartition(".")
        for _ in range(5):
            key = f"{owner}.{name}" if owner else name
            if key in self.coins:
                return self.coins[key]
            if not self.bases.get(owner):
                return None
            owner = self.bases[owner][0]
        return None


def main():
    report = Report()
    seal()
    job = spec()
    report.line(begin=True)
    prefix = "_" + os.urandom(6).hex() + "_"
    rewrite = None
    if job["kind"] == "pytest":
        sys.path.insert(0, job["tools"])
        import pytest  # noqa: F401
        from _pytest.assertion.rewrite import rewrite_asserts

        rewrite = rewrite_asserts
    try:
        modules = [Module(path, prefix) for path in job["tests"]]
    except Broken as error:
        report.line(broken=str(error))
        report.line(end=True)
        return
    is_turned = any(module.coins for module in modules)
    results = []
    planned = None
    for run in (0, 1) if is_turned else (0,):
        codes = [module.code(run, rewrite) for module in modules]
        results.append({})
        judge = Judge(modules, results, run, is_turned, report)
        ending = child(job, modules, codes, prefix, judge)
        if run == 0:
            planned = judge.plan
            if judge.load:
                report.line(load=judge.load)
            report.line(plan=(planned or [])[:2000])
        elif judge.load and not planned:
            report.line(load=judge.load)
        report.line(run=run, **ending)
        if planned is None:
            break
    for name in planned or []:
        judge_missing(name, modules, results, report)
    report.line(end=True)


def child(job, modules, codes, prefix, judge):
    """Forks a child for one run and reads what it says. Answers with how it ended."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    token = os.urandom(16).hex()
    out_read, out_write = os.pipe()
    began = time.monotonic()
    pid = os.fork()
    if pid == 0:
        try:
            judge.report.close()
            ours.close()
            os.close(out_read)
            run_tests(job, modules, codes, prefix, theirs, token, out_write)
        finally:
            os._exit(99)
    theirs.close()
    os.close(out_write)
    cut = drain(ours, out_read, token, judge, began + job["wall"], job["limit"], pid)
    ending = ended(pid, job, began, cut)
    ours.close()
    os.close(out_read)
    return ending
