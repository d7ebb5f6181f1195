#!/usr/bin/env python3
"""Makes vectors.json: messages as Python's official protobuf encodes them, and bytes to refuse.

    make_vectors.py > vectors.json        writes the vectors
    make_vectors.py --verify vectors.json checks that official protobuf reads what Hito writes back

Needs protoc and the `protobuf` package. Every accepted vector has:
  bytes      what a peer sends
  reencoded  what Hito's server sends for the same message, if it is not the same bytes
  lossy      true where protobuf-c cannot send back all of the message
  text       the message in protobuf's text format, for people and for other languages
Refused vectors have the reason instead.
"""

import importlib
import json
import pathlib
import random
import struct
import subprocess
import sys
import tempfile

TESTS = pathlib.Path(__file__).resolve().parents[2]
SEED = 20240601


def load():
    """Compiles the fixture's protos for the runtime that is installed here."""
    folder = tempfile.mkdtemp()
    subprocess.run(
        ["protoc", "-I", TESTS / "Fixtures/protos", "-I", TESTS.parent / "Protos",
         f"--python_out={folder}", "fixture/v1/everything.proto"], check=True)
    sys.path.insert(0, folder)
    return importlib.import_module("fixture.v1.everything_pb2")


pb = load()


def varint(number):
    out = b""
    while number > 0x7F:
        out += bytes([number & 0x7F | 0x80])
        number >>= 7
    return out + bytes([number])


def tag(field, wire_type):
    return varint(field << 3 | wire_type)


def prefixed(field, data):
    return tag(field, 2) + varint(len(data)) + data


def sorted_maps(message):
    """The canonical encoding with map entries ordered by key, as Hito writes them."""
    if message.DESCRIPTOR.full_name != "fixture.v1.Maps":
        return message.SerializeToString(deterministic=True)
    out = b""
    for field in message.DESCRIPTOR.fields:
        for key, value in sorted(getattr(message, field.name).items(), key=lambda pair: pair[0]):
            out += pb.Maps(**{field.name: {key: value}}).SerializeToString()
    return out


def accept(name, message, data=None, reencoded=None, is_lossy=False):
    """`data` is another legal encoding of the message than the canonical one; `is_lossy` says that
    Hito does not send back all that it got."""
    canonical = message.SerializeToString(deterministic=True)
    data = canonical if data is None else data
    again = type(message).FromString(data)
    again.DiscardUnknownFields()
    assert again == message, name
    vector = {"name": name, "type": message.DESCRIPTOR.full_name, "bytes": data.hex()}
    reencoded = sorted_maps(message) if reencoded is None else reencoded
    if reencoded != data:
        vector["reencoded"] = reencoded.hex()
    if is_lossy:
        vector["lossy"] = True
    vector["text"] = str(message)
    return vector


def refuse(name, kind, data, reason, field=""):
    vector = {"name": name, "type": "fixture.v1." + kind, "bytes": data.hex(), "reason": reason}
    if field:
        vector["field"] = field
    return vector


def scalars():
    yield accept("scalars empty", pb.Scalars())
    yield accept("scalars least", pb.Scalars(
        int32_value=-2**31, int64_value=-2**63, sint32_value=-2**31, sint64_value=-2**63,
        sfixed32_value=-2**31, sfixed64_value=-2**63, float_value=-3.4028234663852886e38,
        double_value=-1.7976931348623157e308, mood_value=pb.MOOD_SAD))
    yield accept("scalars greatest", pb.Scalars(
        int32_value=2**31 - 1, int64_value=2**63 - 1, uint32_value=2**32 - 1,
        uint64_value=2**64 - 1, sint32_value=2**31 - 1, sint64_value=2**63 - 1,
        fixed32_value=2**32 - 1, fixed64_value=2**64 - 1, sfixed32_value=2**31 - 1,
        sfixed64_value=2**63 - 1, float_value=3.4028234663852886e38,
        double_value=1.7976931348623157e308, bool_value=True, string_value="\U0010ffff",
        bytes_value=bytes(range(256)), mood_value=pb.MOOD_HAPPY))
    yield accept("scalars infinite", pb.Scalars(
        float_value=float("inf"), double_value=float("-inf")))
    yield accept("scalars smallest", pb.Scalars(float_value=1e-45, double_value=5e-324))
    yield accept("text of every width", pb.Scalars(string_value="aé漢😀\x01\x7f"))
    yield accept("text decomposed", pb.Scalars(string_value="e\u0301 \u200d\ufeff"))
    yield accept("enum unknown number", pb.Scalars(mood_value=1234567))
    yield accept("enum least number", pb.Scalars(mood_value=-2**31))
    yield accept("bytes with zeros", pb.Scalars(bytes_value=b"\0\0\1\0"))
    # protobuf-c sends no negative zero: it takes it for absent.
    yield accept("negative zero", pb.Scalars(double_value=-0.0), reencoded=b"",
                 is_lossy=True)


def lists():
    yield accept("lists full", pb.Lists(
        int32_values=[0, -1, 2**31 - 1, -2**31], int64_values=[0, -1, 2**63 - 1, -2**63],
        uint32_values=[0, 2**32 - 1], uint64_values=[0, 2**64 - 1], sint32_values=[0, -1, 1],
        sint64_values=[-2**63, 2**63 - 1], fixed32_values=[0, 2**32 - 1],
        fixed64_values=[0, 2**64 - 1], sfixed32_values=[-1, 1], sfixed64_values=[-1, 1],
        float_values=[0.0, -0.0, 1.5], double_values=[0.0, -0.0, 2.5],
        bool_values=[True, False, True], string_values=["", "a", "é"],
        bytes_values=[b"", b"\0", b"x"], mood_values=[0, -1, 77],
        leaf_values=[pb.Leaf(), pb.Leaf(name="n", id=-1)], nothing_values=[pb.Nothing()] * 3,
        unpacked_values=[0, 1, -1]))
    one_by_one = b"".join(tag(1, 0) + varint(n) for n in [3, 4]) + tag(13, 0) + varint(1)
    one_by_one += tag(11, 5) + struct.pack("<f", 1.5) + tag(12, 1) + struct.pack("<d", 2.5)
    yield accept("packed fields one by one", pb.Lists(
        int32_values=[3, 4], bool_values=[True], float_values=[1.5], double_values=[2.5]),
        one_by_one)
    mixed = tag(1, 0) + varint(1) + prefixed(1, b"\x02\x03") + tag(1, 0) + varint(4)
    yield accept("packed and one by one mixed", pb.Lists(int32_values=[1, 2, 3, 4]), mixed)
    yield accept("packed in two pieces", pb.Lists(uint64_values=[1, 300, 2]),
                 prefixed(4, varint(1) + varint(300)) + prefixed(4, b"\x02"))
    yield accept("packed empty", pb.Lists(), prefixed(1, b"") + prefixed(12, b""))
    yield accept("unpacked field packed", pb.Lists(unpacked_values=[5, 6]),
                 prefixed(19, b"\x05\x06"))
    yield accept("list elements apart", pb.Lists(
        int32_values=[1], string_values=["a", "b"]),
        prefixed(14, b"a") + tag(1, 0) + b"\x01" + prefixed(14, b"b"))


def maps():
    yield accept("maps full", pb.Maps(
        labels={"b": "2", "a": "1", "é": "x"}, leaves={-7: pb.Leaf(name="n"), 2: pb.Leaf(id=1)},
        totals={True: 5}, moods={-3: 1, 4: -1}, blobs={"k": b"\0\1"}, weights={9: 1.5}))
    entries = pb.Maps(labels={"": ""}, totals={False: 0}, weights={0: 0.0})
    yield accept("map entries of defaults", entries,
                 reencoded=prefixed(1, b"") + prefixed(3, b"") + prefixed(6, b""))
    yield accept("map value message empty", pb.Maps(leaves={1: pb.Leaf()}))
    yield accept("map value message missing", pb.Maps(leaves={1: pb.Leaf()}),
                 prefixed(2, tag(1, 0) + b"\x01"))
    yield accept("map key missing", pb.Maps(labels={"": "v"}), prefixed(1, prefixed(2, b"v")),
                 reencoded=prefixed(1, prefixed(2, b"v")))
    yield accept("map value before key", pb.Maps(labels={"k": "v"}),
                 prefixed(1, prefixed(2, b"v") + prefixed(1, b"k")))
    yield accept("map last of equal keys", pb.Maps(labels={"k": "2"}),
                 prefixed(1, prefixed(1, b"k") + prefixed(2, b"1"))
                 + prefixed(1, prefixed(1, b"k") + prefixed(2, b"2")))


def choices():
    yield accept("choice none", pb.Choices())
    for name, choice in {
        "text": pb.Choices(text="t"), "text empty": pb.Choices(text=""),
        "blob": pb.Choices(blob=b"\0b"), "blob empty": pb.Choices(blob=b""),
        "leaf": pb.Choices(leaf=pb.Leaf(name="l")), "leaf empty": pb.Choices(leaf=pb.Leaf()),
        "number": pb.Choices(number=-5), "number zero": pb.Choices(number=0),
        "flag": pb.Choices(flag=True), "flag false": pb.Choices(flag=False),
        "mood": pb.Choices(mood=-1), "mood zero": pb.Choices(mood=0),
        "ratio": pb.Choices(ratio=0.5), "ratio zero": pb.Choices(ratio=0.0),
        "ratio negative zero": pb.Choices(ratio=-0.0),
        "nothing": pb.Choices(nothing=pb.Nothing()),
    }.items():
        yield accept("choice " + name, choice)
    yield accept("presence of zero and empty", pb.Choices(score=0.0, note=""))
    yield accept("presence of values", pb.Choices(score=99.5, note="n", text="t"))
    yield accept("choice last member wins", pb.Choices(number=7),
                 prefixed(1, b"first") + prefixed(3, prefixed(1, b"leaf")) + tag(4, 0) + b"\x07")
    yield accept("choice message after others", pb.Choices(leaf=pb.Leaf(id=1)),
                 tag(7, 1) + struct.pack("<d", 1.5) + prefixed(2, b"blob")
                 + prefixed(3, tag(2, 0) + b"\x01"))
    yield accept("choice same scalar twice", pb.Choices(text="b"),
                 prefixed(1, b"a") + prefixed(1, b"b"))


def trees():
    twig = pb.Tree.Branch.Twig(name="twig", leaves=[pb.Leaf(name="a", id=1), pb.Leaf()])
    tree = pb.Tree(
        branches=[pb.Tree.Branch(twigs=[twig, pb.Tree.Branch.Twig()], main=twig),
                  pb.Tree.Branch()],
        root=pb.Tree.Branch(main=twig), last="end", old_name="old")
    tree.planted_at.FromJsonString("2024-05-06T07:08:09.123456Z")
    tree.age.FromJsonString("-3.000000500s")
    tree.mask.paths.extend(["a", "b.c"])
    tree.empty.SetInParent()
    yield accept("tree full", tree)
    yield accept("tree empty messages", pb.Tree(root=pb.Tree.Branch(main=pb.Tree.Branch.Twig())))
    yield accept("fields out of order", pb.Leaf(name="n", id=3),
                 tag(2, 0) + b"\x03" + prefixed(1, b"n"))
    yield accept("scalar twice, last wins", pb.Leaf(name="b", id=2),
                 prefixed(1, b"a") + tag(2, 0) + b"\x01" + prefixed(1, b"b") + tag(2, 0) + b"\x02")
    yield accept("unknown fields of every wire type", pb.Leaf(name="n"),
                 tag(100, 0) + varint(2**64 - 1) + prefixed(1, b"n") + tag(101, 1) + bytes(8)
                 + prefixed(102, b"\xff\0") + tag(103, 5) + bytes(4) + tag(2**29 - 1, 0) + b"\0")
    yield accept("longer varints than needed", pb.Leaf(name="n", id=1),
                 b"\x8a\x80\x00" + b"\x81\x80\x80\x80\x00" + b"n"
                 + b"\x10" + b"\x81\x80\x80\x80\x80\x80\x80\x80\x80\x00")
    yield accept("number wider than its type", pb.Scalars(int32_value=1, bool_value=True),
                 tag(1, 0) + varint(2**32 + 1) + tag(13, 0) + varint(2))
    yield accept("names", pb.Names(
        **{"class": "c", "default": "d", "self": "s", "in": "i", "init": 1, "is_URL": True,
           "camelCase": "cc", "operator": ["o"], "type": "t", "description": "d",
           "extension": "e", "from": "f", "None": "n"},
        type_value=pb.Names.Type(protocol="p"), string_value=pb.Names.STRING_SELF))


def hostile():
    name = prefixed(1, b"n")
    yield refuse("field number zero", "Leaf", b"\x00\x01", "malformed")
    yield refuse("field number zero, long form", "Leaf", b"\x80\x00\x01", "malformed")
    yield refuse("tag of six bytes", "Leaf", b"\x88\x80\x80\x80\x80\x00\x01", "malformed")
    yield refuse("tag above the greatest number", "Leaf", b"\x88\x80\x80\x80\x10\x01", "malformed")
    yield refuse("group", "Leaf", tag(3, 3) + tag(3, 4), "malformed", "3")
    yield refuse("end of no group", "Leaf", tag(3, 4), "malformed", "3")
    yield refuse("wire type 6", "Leaf", tag(3, 6), "malformed", "3")
    yield refuse("wire type 7", "Leaf", tag(3, 7), "malformed", "3")
    yield refuse("group in a known field", "Leaf", tag(1, 3) + tag(1, 4), "malformed", "name")
    yield refuse("varint of eleven bytes", "Leaf", tag(2, 0) + b"\x80" * 10 + b"\0", "malformed",
                 "id")
    yield refuse("varint above 64 bits", "Leaf", tag(2, 0) + b"\xff" * 9 + b"\x02", "malformed",
                 "id")
    yield refuse("length of six bytes", "Leaf", tag(1, 2) + b"\x80" * 5 + b"\0", "malformed",
                 "name")
    yield refuse("length beyond the end", "Leaf", tag(1, 2) + b"\x05abc", "truncated", "name")
    yield refuse("length of 4 GiB", "Leaf", tag(1, 2) + b"\xff\xff\xff\xff\x0f", "truncated",
                 "name")
    yield refuse("length of a sub-message beyond its parent", "Tree",
                 prefixed(2, tag(2, 2) + b"\x7f") + bytes(200), "truncated", "root.main")
    yield refuse("tag without value", "Leaf", tag(2, 0), "truncated", "id")
    yield refuse("fixed32 cut", "Scalars", tag(7, 5) + bytes(3), "truncated", "fixed32_value")
    yield refuse("fixed64 cut", "Scalars", tag(8, 1) + bytes(7), "truncated", "fixed64_value")
    yield refuse("unknown fixed64 cut", "Leaf", tag(9, 1) + bytes(7), "truncated", "9")
    yield refuse("text as number", "Leaf", tag(1, 0) + b"\x01", "malformed", "name")
    yield refuse("number as text", "Leaf", prefixed(2, b"\x01"), "malformed", "id")
    yield refuse("bool as bytes", "Scalars", prefixed(13, b"\x01"), "malformed", "bool_value")
    yield refuse("double as fixed32", "Scalars", tag(12, 5) + bytes(4), "malformed",
                 "double_value")
    yield refuse("message as number", "Tree", tag(2, 0) + b"\x01", "malformed", "root")
    yield refuse("packed element cut", "Lists", prefixed(1, b"\x01\x80"), "malformed",
                 "int32_values")
    yield refuse("packed fixed cut", "Lists", prefixed(7, bytes(6)), "malformed",
                 "fixed32_values")
    yield refuse("packed element of eleven bytes", "Lists",
                 prefixed(2, b"\x80" * 10 + b"\x01"), "malformed", "int64_values")
    for what, text in {
        "continuation first": b"\x80", "cut sequence": b"a\xc3", "overlong slash": b"\xc0\xaf",
        "overlong three": b"\xe0\x80\xaf", "overlong four": b"\xf0\x80\x80\xaf",
        "surrogate": b"\xed\xa0\x80", "above U+10FFFF": b"\xf4\x90\x80\x80", "byte ff": b"\xff",
        "bad byte after eight good ones": b"12345678\xbf", "five byte form": b"\xf8\x88\x80\x80\x80",
    }.items():
        yield refuse("text: " + what, "Leaf", prefixed(1, text), "text is not UTF-8", "name")
    yield refuse("text with NUL", "Leaf", prefixed(1, b"A\0B"), "text contains NUL", "name")
    yield refuse("text with NUL only", "Leaf", prefixed(1, b"\0"), "text contains NUL", "name")
    yield refuse("text with NUL in a list", "Lists", prefixed(14, b"ok") + prefixed(14, b"\0"),
                 "text contains NUL", "string_values")
    yield refuse("bad text in a oneof", "Choices", prefixed(1, b"\xff"), "text is not UTF-8",
                 "text")
    yield refuse("bad text in a map key", "Maps", prefixed(1, prefixed(1, b"\xff")),
                 "text is not UTF-8", "labels.key")
    yield refuse("bad text deep down", "Tree",
                 prefixed(1, prefixed(1, prefixed(1, prefixed(1, b"\xff")))),
                 "text is not UTF-8", "branches.twigs.leaves.name")
    yield refuse("sub-message twice", "Tree", prefixed(2, b"") + prefixed(2, b""),
                 "a singular message field occurs twice", "root")
    yield refuse("sub-message of a oneof twice", "Choices",
                 prefixed(3, name) + tag(4, 0) + b"\x01" + prefixed(3, name),
                 "a singular message field occurs twice", "leaf")
    yield refuse("map value message twice", "Maps",
                 prefixed(2, prefixed(2, name) + prefixed(2, name)),
                 "a singular message field occurs twice", "leaves.value")


def is_repeated(field):
    """Newer runtimes have the property, older ones only the label."""
    if hasattr(field, "is_repeated"):
        return field.is_repeated
    return field.label == field.LABEL_REPEATED


class Random(random.Random):
    """Random messages; the same ones on every run."""

    def text(self):
        alphabet = "abcXYZ019 _-éñß漢字😀"
        return "".join(self.choices(alphabet, k=self.randrange(12)))

    def whole(self, low, high):
        return self.choice([low, high, 0, 1, self.randint(low, high), self.randrange(300)])

    def fill(self, message):
        for field in message.DESCRIPTOR.fields:
            if self.random() < 0.4:
                continue
            if is_repeated(field):
                self.fill_repeated(message, field)
            elif field.type == field.TYPE_MESSAGE:
                part = getattr(message, field.name)
                part.SetInParent()
                self.fill(part)
            else:
                setattr(message, field.name, self.value(field))
        return message

    def fill_repeated(self, message, field):
        container = getattr(message, field.name)
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            key, value = field.message_type.fields
            for _ in range(self.randrange(1, 4)):
                # Not the defaults: entries leave those out, see "map entries of defaults".
                chosen = self.value(key) or (True if key.type == key.TYPE_BOOL else
                                             "k" if key.type == key.TYPE_STRING else 1)
                if value.type == value.TYPE_MESSAGE:
                    container[chosen].SetInParent()
                    self.fill(container[chosen])
                else:
                    other = b"b" if value.type == value.TYPE_BYTES else \
                        "v" if value.type == value.TYPE_STRING else 1
                    container[chosen] = self.value(value) or other
            return
        for _ in range(self.randrange(5)):
            if field.type == field.TYPE_MESSAGE:
                self.fill(container.add())
            else:
                container.append(self.value(field))

    def value(self, field):
        kind = field.type
        if kind in (field.TYPE_INT32, field.TYPE_SINT32, field.TYPE_SFIXED32):
            return self.whole(-2**31, 2**31 - 1)
        if kind in (field.TYPE_INT64, field.TYPE_SINT64, field.TYPE_SFIXED64):
            return self.whole(-2**63, 2**63 - 1)
        if kind in (field.TYPE_UINT32, field.TYPE_FIXED32):
            return self.whole(0, 2**32 - 1)
        if kind in (field.TYPE_UINT64, field.TYPE_FIXED64):
            return self.whole(0, 2**64 - 1)
        if kind == field.TYPE_FLOAT:
            return struct.unpack("<f", struct.pack("<f", self.uniform(-1e6, 1e6)))[0]
        if kind == field.TYPE_DOUBLE:
            return self.uniform(-1e12, 1e12)
        if kind == field.TYPE_BOOL:
            return self.random() < 0.5
        if kind == field.TYPE_STRING:
            return self.text()
        if kind == field.TYPE_BYTES:
            return self.randbytes(self.randrange(12))
        assert kind == field.TYPE_ENUM
        return self.choice([0, 1, -1, 2, 99])


def randoms():
    generator = Random(SEED)
    for index in range(30):
        for kind in [pb.Scalars, pb.Lists, pb.Maps, pb.Choices, pb.Tree]:
            yield accept(f"random {index}", generator.fill(kind()))


def make():
    vectors = []
    for group in [scalars, lists, maps, choices, trees, hostile, randoms]:
        vectors += group()
    json.dump({"vectors": vectors}, sys.stdout, indent=1, ensure_ascii=True)
    print()


def verify(path):
    """What Hito writes must be read by official protobuf as the message that was sent."""
    count = 0
    for vector in json.loads(pathlib.Path(path).read_text())["vectors"]:
        if "reason" in vector or "lossy" in vector:
            continue
        kind = getattr(pb, vector["type"].rpartition(".")[2])
        sent = kind.FromString(bytes.fromhex(vector["bytes"]))
        sent.DiscardUnknownFields()
        back = kind.FromString(bytes.fromhex(vector.get("reencoded", vector["bytes"])))
        assert sent == back, vector["name"]
        count += 1
    print(f"{count} messages read back")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--verify"]:
        verify(sys.argv[2])
    else:
        make()
