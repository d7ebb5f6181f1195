"""What tests hand their values to, which replaces them where a test is turned around. See turned.py."""

import collections
import gc


class Never:
    """Equal to nothing that has an honest `==`: for values of types that are not built in."""

    __slots__ = ()

    def __eq__(self, other):
        return NotImplemented

    __hash__ = object.__hash__


def tools(draw):
    """What replaces values, by its name.

    A value is replaced by another one of its type, near to it, and always by the same one: what compares itself
    with it cannot tell that from a value that a test expects. Made before any code under test is loaded;
    nothing that such code could change is looked up later, and nothing calls such code.

    - draw: a number that says how near.
    """
    kind, count, numbers, nothing = type, len, range, Never()
    nobody, magnitude, as_list, as_tuple = type(None), abs, list, tuple
    as_frozen, as_set, as_bytes, as_bytearray, as_dict = frozenset, set, bytes, bytearray, dict
    scalars = (bool, int, float, complex, str, bytes, nobody)
    containers = (list, tuple, set, frozenset, dict)
    floating, complex_number, number, text, truth = float, complex, int, str, bool
    letter, attribute, is_kind = chr, getattr, issubclass
    imported = collections.ChainMap(*(vars(sys.modules[name]) for name in (
        "fractions", "decimal", "datetime", "pytest") if name in sys.modules))
    numeric = [imported[name] for name in ("Fraction", "Decimal") if name in imported]
    days = [imported[name] for name in ("date", "datetime", "timedelta") if name in imported]
    day = imported["timedelta"](1) if days else None
    approximate = [kind(imported["approx"](one)) for one in (0, [0], {0: 0})] if "approx" in imported else []
    exceptions = (ValueError, KeyError, ZeroDivisionError, AttributeError, RuntimeError, KeyboardInterrupt)
    looked_at = 10_000  # items of a value, at the most
    digits, lower, upper = "0123456789", "abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

    def is_among(of, kinds):
        for one in kinds:
            if of is one:  # a metaclass may have an == of its own
                return True
        return False

    def pick(limit):
        return draw % limit

    def other_text(value):
        if not value:
            return letter(97 + pick(26))
        letters = digits if value[-1] in digits else upper if value[-1] in upper else lower
        place = letters.find(value[-1])
        step = 1 + pick(count(letters) - 1)
        return value[:-1] + letters[(place + step) % count(letters) if place >= 0 else step]

    def other_list(value, depth, against):
        if not value:
            return [0]
        place = count(value) - 1
        if kind(against) is as_list or kind(against) is as_tuple:
            # What has a say in the other is to be asked.
            for index in numbers(count(value)):
                if index < count(against) and asks(against[index], depth - 1):
                    place = index
                    break
            against = against[place] if place < count(against) else None
        new = different(value[place], depth - 1, 0, against)
        # Of what cannot be made different there is one more.
        return value + [value[place]] if new is nothing else value[:place] + [new] + value[place + 1:]

    def other_set(value, depth):
        if asks(value):
            return nothing
        made = as_set(value)
        new = different(made.pop(), depth - 1) if made else 0
        if is_among(kind(new), scalars) and new not in value:
            made.add(new)
        return made

    def other_dict(value, depth, against):
        if asks(value):
            return nothing
        if not value:
            return {0: 0}
        made = value.copy()
        key, last = made.popitem()
        if kind(against) is as_dict and not asks(as_list(against.keys())):
            for each in value:
                if each in against and asks(against[each], depth - 1):
                    key, last, made = each, value[each], value.copy()
                    break
        last = different(last, depth - 1)
        if is_among(kind(key), scalars) and last is not nothing:
            made[key] = last
        return made

    def different(value, depth=8, least=0, against=None):
        """Another value of the same built-in type; `nothing` for other types.

        - against: what it is compared with.
        """
        of = kind(value)
        # Values that are almost equal may lie as far apart as is allowed, to either side.
        step = (1 + pick(40)) * (2 * number(least) + 1)
        if of is nobody:
            return pick(3)
        if of is truth:
            return not value
        if of is number:
            return value + step if pick(2) else value - step
        if of is floating:
            is_finite = value - value == 0
            return value + step * (1 + magnitude(value) / 8) if is_finite else 0.5 + step
        if of is complex_number or is_among(of, numeric):
            return value + step
        if is_among(of, days):
            return value - day * step if value > of.max - day * step else value + day * step
        if of is text:
            return other_text(value)
        if of is as_bytes or of is as_bytearray:
            return value[:-1] + as_bytes([value[-1] ^ (1 + pick(7))]) if value else of(b"a")
        if depth == 0:
            return nothing
        if of is as_list:
            return other_list(value, depth, against)
        if of is as_tuple:
            return as_tuple(other_list(as_list(value), depth, against))
        if of is as_set or of is as_frozen:
            return of(other_set(value, depth))
        return other_dict(value, depth, against) if of is as_dict else nothing

    def asks(value, depth=8):
        """Whether code of a type that is not built in may have a say in what a value is equal to."""
        of = kind(value)
        if is_among(of, scalars) or of is as_bytearray or is_among(of, numeric) or is_among(of, days):
            return False
        if not is_among(of, containers):
            return True
        if depth == 0 or count(value) > looked_at:
            return True
        if of is as_dict:
            return asks(as_list(value.keys()), depth - 1) or asks(as_list(value.values()), depth - 1)
        for item in value:
            if asks(item, depth - 1):
                return True
        return False

    def pair(first, second, place, least=0):
        """Two values that were to be equal, one of them replaced: the one that asks nobody, if there is one.

        - least: how far apart they may be; None where that is not known.
        """
        both = [first, second]
        if asks(both[place]) and not asks(both[1 - place]):
            place = 1 - place
        both[place] = nothing if least is None else different(both[place], 8, least, both[1 - place])
        return both

    def inside(first, second, place):
        """The same inside an expression, which has other values that one of ours could be equal to by chance."""
        return pair(first, second, place) if asks(first) or asks(second) else [first, nothing]

    def near(first, second, place):
        """The same where one of them, by its text, is what pytest calls approximate."""
        both = [first, second]
        if asks(both[1 - place]) and is_among(kind(both[place]), approximate):
            both[place] = different(attribute(both[place], "expected", both[place]))
        else:
            both[1 - place] = nothing
        return both

    def far(value):
        """A value of the same type that no honest container holds by chance."""
        of = kind(value)
        if of is number:
            return 2 ** 40 + pick(2 ** 30)
        if of is text:
            made = ""
            for _ in numbers(12):
                made += letter(97 + pick(26))
            return made
        return different(value)

    def member(value, container):
        """A value and a container that does not hold it, one of them replaced. Who has a say is asked once."""
        if asks(value):
            if asks(container) or not is_among(kind(container), containers):
                return nothing, container
            return value, [far(item) for item in container]
        if asks(container):
            return far(value), container
        candidate = value
        for _ in numbers(50):
            candidate = different(candidate)
            if kind(candidate) is not kind(value):
                break
            if kind(container) is text and kind(value) is not text or candidate not in container:
                return candidate, container
        return nothing, container

    def order(first, second, place, sign):
        """Two values of which the first was to be more than the second (1) or less (-1), and is not."""
        both = [first, second]
        if asks(both[place]) and not asks(both[1 - place]):
            place = 1 - place
        of, other = kind(both[place]), both[1 - place]
        sign = sign if place == 1 else -sign
        is_float = of is floating or kind(other) is floating
        if not (of is number or of is truth or of is floating) or kind(other) is floating and other - other != 0:
            both[place] = nothing
        elif is_float:
            both[place] = sign * floating("inf")
        else:
            far_off = magnitude(other) if kind(other) is number else 0
            both[place] = both[place] + sign * (10 ** 18 + draw + far_off + magnitude(both[place]))
        return both

    def unlike(value, expected):
        for other in (as_frozen, as_bytearray, complex_number):
            if kind(value) is not other and expected is not other:
                return value, other

    def raises(expected):
        """An exception that is none of what is expected, and could be expected as well."""
        wanted = expected if kind(expected) is as_tuple else (expected,)
        for step in numbers(count(exceptions)):
            other = exceptions[(draw + step) % count(exceptions)]
            is_near = False
            for one in wanted:
                if kind(one) is not kind(other) or is_kind(other, one) or is_kind(one, other):
                    is_near = True
            if not is_near:
                return other
        return exceptions[-1]

    return {
        "pair": pair, "inside": inside, "near": near, "member": member, "order": order, "raises": raises,
        "kind": unlike, "pattern": lambda value, expected: (value, "(?!)"),
        "twice": lambda first, second: (first, first), "some": lambda value: 0, "none": lambda value: None,
        "true": lambda value: True,
    }


# What is answered where nothing is replaced: as many of the values as were handed over.
HONEST = {"pair": 2, "inside": 2, "near": 2, "member": 2, "twice": 2, "order": 2, "kind": 2, "pattern": 2}
# Of a test: whether it is turned around, whether it has assertions of its own, and what `tools` made for it.
Test = collections.namedtuple("Test", "is_turned has_own replaced")


def tool(tests, parts, helpers):
    """What the tests of a module send their values to, as a generator: only its frame knows which of them are turned
    around, and the hook of suite_child.py keeps that from all code.

    - tests: a `Test` by its code.
    - parts: the code of what stands inside their expressions.
    - helpers: the code of functions that tests call: they assert for the test that called them.
    """
    caller, is_collecting, stop, resume = sys._getframe, gc.isenabled, gc.disable, gc.enable
    honest, of, attempt = HONEST, id, other
    # Frames of tests of which an assertion was met, and of those of which a comparison held all the same.
    met, held = set(), set()
    was_collecting = False
    # What is answered is kept nowhere: its end could call back.
    box = [None]
    while True:
        try:
            given = yield box.pop()
            # Collecting garbage calls back, and who is called back could look down here.
            was_collecting = is_collecting()
            stop()
            action, *values = given
            asker = frame = caller(1)
            is_helper = asker.f_code in helpers
            if not is_helper and asker.f_code not in tests and asker.f_code not in parts:
                frame = None
            while frame is not None and frame.f_code not in tests:
                frame = frame.f_back
            test = None if frame is None else tests[frame.f_code]
            is_on = test is not None and test.is_turned and not (is_helper and test.has_own)
            if action == "begin":
                met.discard(of(frame))
                box.append(None)
            elif action == "end":
                box.append(is_on and of(frame) not in met)
            elif action == "inner":
                if is_on and values[0]:
                    held.add(of(frame))
                box.append(values[0])
            elif action == "whole":
                met.add(of(frame))
                box.append(values[0] if not is_on or of(frame) in held else False)
                held.discard(of(frame))
            else:
                met.add(of(frame))
                # It takes the same time whether it is asked for or not.
                made = None if test is None else attempt(test.replaced[action], values)
                box.append(made if is_on else values[:honest[action]] if action in honest else values[0])
        except Exception:
            box[:] = [None]
        finally:
            given = values = made = frame = asker = None
            if was_collecting:
                resume()


def other(replaced, values):
    try:
        return replaced(*values)
    except Exception:
        return None


def planted(code, made, found):
    """The code with what it calls in its constants: a name could be found, and given to something else.

    - made: what is called, by the text that stands for it.
    - found: takes the parts of the code that call something, by their names.
    """
    constants = []
    calls = False
    for value in code.co_consts:
        if isinstance(value, types.CodeType):
            value = planted(value, made, found)
        elif isinstance(value, str) and value in made:
            value, calls = made[value], True
        constants.append(value)
    code = code.replace(co_consts=tuple(constants))
    if calls:
        found[code.co_qualname] = code
    return code
