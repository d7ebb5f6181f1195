"""Runs the tools of syntax, lint and build over a submission, one after the other, in one sandbox.

Reads {"steps": [...]} and reports one line per step. No step runs the submission's code.
"""


def main():
    report = Report()
    seal()
    # A fork takes long where a program is large: the first child is there before its step is.
    child = Child(told_step)
    for number, step in enumerate(spec()["steps"]):
        limits = {name: step[name] for name in ("wall", "cpu", "limit")}
        if number > 0:
            child = Child(told_step)
        child.tell(to_json({name: value for name, value in step.items() if name != "input"}).encode())
        outcome = child.outcome(stdin=step.get("input", "").encode(), **limits)
        end_children()
        outcome["out"] = text(outcome["out"], step["limit"])
        outcome["err"] = text(outcome["err"], step["limit"])
        report.line(step=step["name"], **outcome)
        if step.get("gates") and (outcome["exit"] != 0 or outcome["signal"]):
            break
    report.line(end=True)


def told_step():
    """What a child waits for: its step. What it may need for that is loaded, and has been used, by then."""
    import warnings

    warnings.simplefilter("ignore")
    compile("def one(two):\n    return [two + 1]\n", "", "exec", dont_inherit=True)
    data = b""
    while part := os.read(3, 65536):
        data += part
    step = from_json(data)
    return STARTS[step.get("kind", "command")](step), step["cpu"], step.get("memory")


def command(step):
    def start():
        os.chdir(step.get("folder", FOLDER))
        environment = dict(os.environ, **step.get("environment", {}))
        os.execvpe(step["argv"][0], step["argv"], environment)

    return start


def python_syntax(step):
    """CPython's own compiler, on the bytes: it finds the encoding as it does for a program."""

    def start():
        found = []
        for path in step["paths"]:
            with open(os.path.join(FOLDER, path), "rb") as file:
                source = file.read()
            try:
                compile(source, path, "exec", dont_inherit=True)
            except SyntaxError as error:
                error = in_code_points(source, path, error)
                found.append([path, error.lineno or 1, error.offset or 1, error.end_lineno or 0,
                              error.end_offset or 0, type(error).__name__, str(error.msg)])
            except (ValueError, RecursionError, MemoryError, OverflowError) as error:
                found.append([path, 1, 1, 0, 0, type(error).__name__, str(error)[:200]])
        sys.stdout.write(to_json(found))
        sys.stdout.flush()
        os._exit(1 if found else 0)

    return start


def in_code_points(source, path, error):
    """The same error with columns in code points: of bytes the compiler now and then counts bytes."""
    try:
        compile(source.decode("utf-8-sig"), path, "exec", dont_inherit=True)
    except SyntaxError as counted:
        return counted
    except (ValueError, RecursionError, MemoryError, OverflowError):
        pass
    return error


def tree_syntax(step):
    """tree-sitter: finds broken syntax, and can never say that code is right."""

    def start():
        sys.path.insert(0, step["tools"])
        sys.setrecursionlimit(10_000)
        import importlib.machinery
        import importlib.util

        import tree_sitter

        name = "tree_sitter_language_pack.bindings." + step["grammar"]
        path = os.path.join(step["tools"], "tree_sitter_language_pack", "bindings",
                            step["grammar"] + ".abi3.so")
        loader = importlib.machinery.ExtensionFileLoader(name, path)
        module = importlib.util.module_from_spec(
            importlib.util.spec_from_loader(name, loader))
        loader.exec_module(module)
        parser = tree_sitter.Parser(tree_sitter.Language(module.language()))
        found = []
        for path in step["paths"]:
            with open(os.path.join(FOLDER, path), "rb") as file:
                source = file.read()
            tree = parser.parse(source)
            if tree.root_node.has_error:
                found += broken_nodes(tree, source, path, 50 - len(found))
        sys.stdout.write(to_json(found))
        sys.stdout.flush()
        os._exit(1 if found else 0)

    return start


def broken_nodes(tree, source, path, limit):
    """Places of errors, 1-based, columns in code points. Walks with a cursor: trees may be deep."""
    lines = source.split(b"\n")

    def place(point):
        line = lines[point.row] if point.row < len(lines) else b""
        return point.row + 1, len(line[: point.column].decode("utf-8", "replace")) + 1

    found = []
    cursor = tree.walk()
    while len(found) < limit:
        node = cursor.node
        if node.is_error or node.is_missing:
            (line, column), (end_line, end_column) = place(node.start_point), place(node.end_point)
            what = f"'{node.type}' is missing" if node.is_missing else "unexpected text"
            found.append([path, line, column, end_line, end_column, "syntax", what])
        if node.has_error and not node.is_error and cursor.goto_first_child():
            continue
        while not cursor.goto_next_sibling():
            if not cursor.goto_parent():
                return found
    return found


STARTS = {"command": command, "python": python_syntax, "tree": tree_syntax}
main()
