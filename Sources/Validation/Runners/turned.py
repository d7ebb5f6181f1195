"""Turns the last assertion of a test around, so that a test that passes honestly must fail.

Code under test runs in the process that tests it, and so could claim any result. Therefore each test runs
twice, once as it is and once turned around, and the code does not know which is which: what passes both
times was not tested by anything. Only a test whose last assertion is reached whenever the test
passes is turned around; others count as they are.
"""

import ast

POSITIVE = {
    "assertEqual", "assertEquals", "assertIs", "assertCountEqual", "assertListEqual",
    "assertDictEqual", "assertTupleEqual", "assertSetEqual", "assertSequenceEqual",
    "assertMultiLineEqual", "assertAlmostEqual", "assertIn", "assertIsNone",
}
FALSE = {"assertTrue"}
TRUE = {"assertFalse"}
NOTHING = {"assertIsNotNone"}
TWICE = {"assertNotEqual", "assertIsNot", "assertNotAlmostEqual"}
RAISES = {"assertRaises", "assertRaisesRegex", "raises"}
PLAIN_DECORATORS = {"parametrize", "patch", "task", "usefixtures", "object"}


class Never:
    """Equal to nothing that has an honest `==`. What it is compared with is asked."""

    __slots__ = ()

    def __eq__(self, other):
        return NotImplemented

    __hash__ = object.__hash__


class NeverError(Exception):
    pass


def tools():
    """What turned code calls, by the end of its name."""
    return {
        "never": lambda value: Never(), "false": lambda value: False, "true": lambda value: True,
        "none": lambda value: None, "twice": lambda first, second: (first, first),
        "error": NeverError,
    }


def test_functions(tree):
    """(qualified name, definition) of everything that may be a test."""
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            if node.name.startswith("test"):
                yield node.name, node
        elif isinstance(node, ast.ClassDef):
            for inner in node.body:
                if isinstance(inner, (ast.FunctionDef, ast.AsyncFunctionDef)) \
                        and inner.name.startswith("test"):
                    yield f"{node.name}.{inner.name}", inner


def bases(tree):
    """The names of the classes that each class of a module names as its own."""
    return {
        node.name: [base.id for base in node.bases if isinstance(base, ast.Name)]
        for node in tree.body if isinstance(node, ast.ClassDef)
    }


def turn(function, prefix):
    """Turns the function's last assertion around, in place; False where it has none that can be."""
    if any(_name(decorator) not in PLAIN_DECORATORS for decorator in function.decorator_list):
        return False
    for node in ast.walk(function):
        if isinstance(node, (ast.Return, ast.Yield, ast.YieldFrom)):
            return False
        if isinstance(node, ast.Call) and _name(node.func) in ("skipTest", "skip", "xfail", "importorskip"):
            return False
    if not _turn_last(function.body, prefix):
        # It asserts nothing, and fails by what it raises: so does this.
        function.body.append(ast.Raise(_load(prefix + "error"), None))
    return True


def _turn_last(body, prefix):
    for index in reversed(range(len(body))):
        statement = body[index]
        if isinstance(statement, ast.Assert):
            statement.test = _turned_test(statement.test, prefix)
            return True
        if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
            if _turn_call(statement.value, prefix):
                return True
        if isinstance(statement, (ast.With, ast.AsyncWith)) and len(statement.items) == 1:
            call = statement.items[0].context_expr
            if isinstance(call, ast.Call):
                if _name(call.func) in RAISES and call.args and not _is_starred(call):
                    call.args[0] = _load(prefix + "error")
                    return True
                if _name(call.func) == "subTest" and _turn_last(statement.body, prefix):
                    return True
    return False


def _turn_call(call, prefix):
    name = _name(call.func)
    if not isinstance(call.func, ast.Attribute) or not call.args or _is_starred(call):
        return False
    if name in POSITIVE:
        # What is compared with the learner's answer, if that can be told: the answer is asked then.
        has_two = name not in ("assertIsNone", "assertIn") and len(call.args) > 1
        place = int(has_two and _has_call(call.args[0]) and not _has_call(call.args[1]))
        call.args[place] = _call(prefix + "never", call.args[place])
    elif name in FALSE:
        call.args[0] = _call(prefix + "false", call.args[0])
    elif name in TRUE:
        call.args[0] = _call(prefix + "true", call.args[0])
    elif name in NOTHING:
        call.args[0] = _call(prefix + "none", call.args[0])
    elif name in TWICE and len(call.args) >= 2:
        both = ast.Starred(_call(prefix + "twice", call.args[0], call.args[1]), ast.Load())
        call.args[:2] = [both]
    elif name in RAISES and len(call.args) > 1:
        call.args[0] = _load(prefix + "error")
    else:
        return False
    return True


def _turned_test(test, prefix):
    if isinstance(test, ast.Compare) and len(test.ops) == 1 and isinstance(test.ops[0], ast.Eq):
        right = test.comparators[0]
        if _has_call(test.left) and not _has_call(right):
            test.comparators[0] = _call(prefix + "never", right)
        else:
            test.left = _call(prefix + "never", test.left)
        return test
    return _call(prefix + "false", test)


def _name(node):
    if isinstance(node, ast.Call):
        node = node.func
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def _is_starred(call):
    return any(isinstance(argument, ast.Starred) for argument in call.args)


def _has_call(node):
    return any(isinstance(inner, (ast.Call, ast.Name)) for inner in ast.walk(node))


def _load(name):
    return ast.Name(name, ast.Load())


def _call(name, *arguments):
    return ast.Call(_load(name), list(arguments), [])
