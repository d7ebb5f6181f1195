"""Prepares the last assertion of each test to be turned around, so that a test that passes honestly must fail.

Code under test runs in the process that tests it, and so could claim any result. Therefore each test runs
twice, once as it is and once turned around, and the code does not know which is which: what passes both
times was not tested by anything. Turned around, an assertion fails for right and for wrong answers, so that
swapping results gains nothing. The program is the same both times: it hands what it compares to a tool
(turned_tools.py), which alone knows whether to replace it.
"""

import ast

POSITIVE = {
    "assertEqual", "assertEquals", "assertIs", "assertCountEqual", "assertListEqual",
    "assertDictEqual", "assertTupleEqual", "assertSetEqual", "assertSequenceEqual",
    "assertMultiLineEqual", "assertAlmostEqual",
}
FALSE = {"assertTrue"}
ONE = {"assertFalse": "true", "assertIsNone": "some", "assertIsNotNone": "none"}
TWICE = {"assertNotEqual", "assertIsNot", "assertNotAlmostEqual"}
# Whether the first of two is to be more than the second (1) or less (-1).
ORDER = {"assertGreater": 1, "assertGreaterEqual": 1, "assertLess": -1, "assertLessEqual": -1}
OTHERS = {"assertIsInstance": "kind", "assertRegex": "pattern"}
# Comparisons by what tells of them: how both sides are replaced, and what compares them inside an expression.
COMPARED = {
    ast.Eq: ("pair", "eq"), ast.NotEq: ("twice", "ne"), ast.In: ("member", "within"), ast.Gt: ("order", "gt"),
    ast.GtE: ("order", "ge"), ast.Lt: ("order", "lt"), ast.LtE: ("order", "le"),
}
RAISES = {"assertRaises", "assertRaisesRegex", "raises"}
PLAIN_DECORATORS = {"parametrize", "patch", "task", "usefixtures", "object"}


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


def prepare(tree, prefix):
    """Prepares every test of a module, in place. Answers with those that can be turned around: whether they have
    assertions of their own, by their names.

    - prefix: the text that `planted` puts the tool in the place of.
    """
    tests = dict(test_functions(tree))
    site = Site(prefix)
    prepared = {}
    for name, function in tests.items():
        if _can_turn(function):
            prepared[name] = _prepare_test(function, site)
    for function in _helpers(tree, tests.values()):
        _prepare_all(function.body, site)
    return prepared


class Site:
    """Makes the calls of the tool."""

    def __init__(self, prefix):
        self.prefix = prefix

    def call(self, action, *arguments):
        given = ast.Tuple([ast.Constant(action), *arguments], ast.Load())
        return ast.Call(ast.Constant(self.prefix), [given], [])


def _can_turn(function):
    if any(_name(decorator) not in PLAIN_DECORATORS for decorator in function.decorator_list):
        return False
    for node in ast.walk(function):
        if isinstance(node, (ast.Return, ast.Yield, ast.YieldFrom)):
            return False
        if isinstance(node, ast.Call) and _name(node.func) in ("skipTest", "skip", "xfail", "importorskip"):
            return False
    return True


def _prepare_test(function, site):
    if _prepare_last(function.body, site):
        return True
    has_own = _prepare_all(function.body, site)
    # Where no assertion was met at all, it fails by what it raises: so does this.
    failure = ast.Raise(ast.Constant(site.prefix + "failure"), None)
    function.body.append(ast.If(site.call("end"), [failure], []))
    function.body.insert(_head(function.body), ast.Expr(site.call("begin")))
    return has_own


def _head(body):
    """Where the first statement goes: behind the text that says what a function is for."""
    first = body[0]
    return int(isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
               and isinstance(first.value.value, str))


def _prepare_last(body, site):
    return any(_prepare(statement, site) for statement in reversed(body))


def _prepare_all(body, site):
    """Every assertion of these statements and of those inside them, but not of functions inside them."""
    found = False
    for statement in body:
        if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            continue
        if _prepare(statement, site):
            found = True
            continue
        for inner in ("body", "orelse", "finalbody"):
            found = _prepare_all(getattr(statement, inner, []), site) or found
        for handler in getattr(statement, "handlers", []):
            found = _prepare_all(handler.body, site) or found
    return found


def _helpers(tree, tests):
    """Functions that tests may call to assert something."""
    tests = set(tests)
    for owner in [tree] + [node for node in tree.body if isinstance(node, ast.ClassDef)]:
        for function in owner.body:
            if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)) and function not in tests \
                    and not function.decorator_list and not function.name.lower().startswith(("setup", "teardown")):
                yield function


def _prepare(statement, site):
    """Prepares one assertion."""
    if isinstance(statement, ast.Assert):
        statement.test = _prepared_test(statement.test, site)
        return True
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
        return _prepare_call(statement.value, site)
    if isinstance(statement, (ast.With, ast.AsyncWith)) and len(statement.items) == 1:
        call = statement.items[0].context_expr
        if isinstance(call, ast.Call):
            if _name(call.func) in RAISES and call.args and not _is_starred(call):
                call.args[0] = site.call("raises", call.args[0])
                return True
            if _name(call.func) == "subTest":
                return _prepare_last(statement.body, site)
    return False


def _prepare_call(call, site):
    name = _name(call.func)
    if not isinstance(call.func, ast.Attribute) or not call.args or _is_starred(call):
        return False
    first, *others = call.args
    if name in POSITIVE and others:
        _replace_both(call, site, "pair", _place(first, others[0]), _tolerance(call))
    elif name == "assertIn" and others:
        _replace_both(call, site, "member")
    elif name in FALSE:
        call.args[0] = _prepared_test(first, site)
    elif name in ONE:
        call.args[0] = site.call(ONE[name], first)
    elif name in ORDER and others:
        _replace_both(call, site, "order", _place(first, others[0]), ast.Constant(ORDER[name]))
    elif name in OTHERS and others:
        _replace_both(call, site, OTHERS[name])
    elif name in TWICE and others:
        _replace_both(call, site, "twice")
    elif name in RAISES and others:
        call.args[0] = site.call("raises", first)
    else:
        return False
    return True


def _replace_both(call, site, action, *options):
    call.args[:2] = [ast.Starred(site.call(action, *call.args[:2], *options), ast.Load())]


def _place(first, second):
    """Which of two is compared with the learner's answer, as far as their text tells: 0 or 1."""
    return ast.Constant(int(_has_call(first) and not _has_call(second)))


def _tolerance(call):
    """How far apart two values may be and still be almost equal; without one, less than 1."""
    given = call.args[2:3] + [keyword.value for keyword in call.keywords if keyword.arg in ("places", "delta")]
    if not given or _name(call.func) != "assertAlmostEqual":
        return ast.Constant(0)
    is_sure = len(call.args) <= 4 and all(
        isinstance(one, ast.Constant) and isinstance(one.value, (int, float)) for one in given)
    # None: it is not known before the test runs.
    return ast.Constant(max(one.value for one in given) if is_sure else None)


def _prepared_test(test, site):
    compared = _compared(test, site)
    if compared:
        both = site.prefix + "both"
        test.left = ast.Subscript(
            ast.NamedExpr(ast.Name(both, ast.Store()), compared), ast.Constant(0), ast.Load())
        test.comparators[0] = ast.Subscript(ast.Name(both, ast.Load()), ast.Constant(1), ast.Load())
        return test
    return site.call("whole", Inner(site).visit(test))


def _compared(test, site):
    """What hands over both sides of a comparison; None for other expressions."""
    if not isinstance(test, ast.Compare) or len(test.ops) != 1 or type(test.ops[0]) not in COMPARED:
        return None
    left, right = test.left, test.comparators[0]
    approximate = [_calls_approx(side) for side in (left, right)]
    action = COMPARED[type(test.ops[0])][0]
    if any(approximate):
        return site.call("near", left, right, ast.Constant(int(approximate[1]))) if action == "pair" else None
    if action == "pair":
        return site.call(action, left, right, _place(left, right), ast.Constant(0))
    if action == "order":
        sign = 1 if isinstance(test.ops[0], (ast.Gt, ast.GtE)) else -1
        return site.call(action, left, right, _place(left, right), ast.Constant(sign))
    return site.call(action, left, right)


class Inner(ast.NodeTransformer):
    """Comparisons inside an expression: what holds there although it is turned around shows in the whole."""

    def __init__(self, site):
        self.site = site

    def visit_Compare(self, test):
        self.generic_visit(test)
        compared = _compared(test, self.site)
        if not compared:
            return test
        action, *values = compared.args[0].elts
        if action.value == "pair":
            compared = self.site.call("inside", *values[:3])
        compare = ast.Constant(self.site.prefix + COMPARED[type(test.ops[0])][1])
        result = ast.Call(compare, [ast.Starred(compared, ast.Load())], [])
        return self.site.call("inner", ast.Call(ast.Constant(self.site.prefix + "truth"), [result], []))


def _name(node):
    if isinstance(node, ast.Call):
        node = node.func
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def _is_starred(call):
    return any(isinstance(argument, ast.Starred) for argument in call.args)


def _calls_approx(node):
    return any(isinstance(inner, ast.Call) and _name(inner) == "approx" for inner in ast.walk(node))


def _has_call(node):
    return any(isinstance(inner, (ast.Call, ast.Name)) for inner in ast.walk(node))
