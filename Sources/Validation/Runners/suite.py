"""Runs a suite of unittest or pytest tests, each in a child that this process watches.

Reads {"kind", "tests": [paths], "learner": [paths], "tools", "cpu", "wall", "limit", "seed", "rounds"}. Reports
{"broken"} where a file of the suite does not parse, {"load"} where one could not be loaded, {"plan"} with
the ids found, {"test"} per test as soon as its result is sure, and {"end"}.
"""

import ast
import json  # noqa: F401  (as unittest)
import operator
import random
import types
import unittest  # noqa: F401  (before anything of the learner's could take its name)
import warnings
from collections import namedtuple


class Broken(Exception):
    pass


Program = namedtuple("Program", "path name code tool")


class InChild(BaseException):
    """Leaves the frames of the supervisor, and with them all that it knows: what is left is in `args`."""


class Module:
    """A file of tests, prepared, and in which of the two runs each of them is turned around."""

    def __init__(self, path, prefix, rewrite):
        self.path = path
        self.name = path.removesuffix(".py").replace("/", ".")
        self.prefix = prefix
        place = os.path.join(FOLDER, path)
        with open(place, "rb") as file:
            source = file.read()
        try:
            tree = ast.parse(source, path)
        except (SyntaxError, ValueError, RecursionError) as error:
            line = getattr(error, "lineno", None) or 1
            raise Broken(f"{path}, line {line}: {getattr(error, 'msg', None) or error}") from None
        self.bases = bases(tree)
        self.tests = prepare(tree, prefix)
        self.coins = {}
        ast.fix_missing_locations(tree)
        if rewrite:
            rewrite(tree, source, place)
        with warnings.catch_warnings():
            # Of texts that are called: they are what is replaced.
            warnings.simplefilter("ignore")
            self.code = compile(tree, place, "exec", dont_inherit=True)
        # What it expects need not be read there.
        os.truncate(place, 0)

    def program(self, run):
        """The program of a run. It is the same in each run, but for what its tool is up to."""
        tests, parts, helpers, found = {}, set(), set(), {}
        made = tool(tests, parts, helpers)
        next(made)
        called = {"": made.send, "failure": AssertionError, "within": lambda item, container: item in container}
        for compare in ("truth", "eq", "ne", "gt", "ge", "lt", "le"):
            called[compare] = getattr(operator, compare)
        code = planted(self.code, {self.prefix + name: value for name, value in called.items()}, found)
        for name, part in found.items():
            if name in self.tests:
                draw = int.from_bytes(os.urandom(8), "big")
                tests[part] = Test(self.coins[name] == run, self.tests[name], tools(draw))
            else:
                (parts if name.partition(".<locals>")[0] in self.tests else helpers).add(part)
        return Program(self.path, self.name, code, made)

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
        modules = [Module(path, prefix, rewrite) for path in job["tests"]]
    except Broken as error:
        report.line(broken=str(error))
        report.line(end=True)
        return
    judge = Judge(modules, report, job["rounds"])
    for number, run in judge.runs():
        ending = child(job, [module.program(run) for module in modules], judge)
        if number == 0:
            if judge.load:
                report.line(load=judge.load)
            report.line(plan=judge.plan or [])
        judge.end(number, ending)
        if judge.plan is None:
            break
    judge.say_missing()
    report.line(end=True)


def child(job, files, judge):
    """Forks a child for one run. In the child it raises."""
    token = os.urandom(16).hex()

    def start(channel, out_write):
        raise InChild(job, files, channel, token, out_write)

    return watched(start, job, judge, token)
