"""Makes the vectors of DescriptorJSONTests with the reference implementation.

Usage: generate.py (protobuf 4.21.12 for Python, protoc 3.21). Writes everything.binpb and
vectors.json beside this file; the same seed gives the same files.
"""

import base64
import json
import os
import pathlib
import random
import subprocess

# The pure Python runtime: the only one that orders map entries by key, as DescriptorJSON does.
# It drops negative zeros, which the vectors therefore do without.
os.environ["PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION"] = "python"

from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory

HERE = pathlib.Path(__file__).parent
RANDOM = random.Random(20261123)


def load():
    path = HERE / "everything.binpb"
    subprocess.run(
        ["protoc", "-I", HERE, "--include_imports", "--include_source_info",
         f"--descriptor_set_out={path}", "everything.proto"], check=True)
    files = descriptor_pb2.FileDescriptorSet.FromString(path.read_bytes())
    # Only our own comments: those of google/protobuf are long and not tested.
    for file in files.file:
        if file.package.startswith("google."):
            file.ClearField("source_code_info")
    path.write_bytes(files.SerializeToString(deterministic=True))
    pool = descriptor_pool.DescriptorPool()
    for file in files.file:
        pool.Add(file)
    return message_factory.MessageFactory(pool).GetPrototype(
        pool.FindMessageTypeByName("vectors.v1.Everything"))


def integer(bits, signed):
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
    return RANDOM.choice([low, high, 0, 1, -1 if signed else 1, RANDOM.randint(low, high),
                          RANDOM.randint(0, 300)])


def text():
    return RANDOM.choice(["", "Aprender FastAPI", "ñandú ✓ 𝄞", "a\"b\\c\n\t\u0001", "\u2028/</p>",
                          "x" * RANDOM.randint(1, 300)])


def scalar(field):
    kinds = type(field)
    return {
        kinds.TYPE_DOUBLE: lambda: RANDOM.choice(
            [0.0, 1.5, 1e300, 5e-324, -1.7976931348623157e308, float("inf"), float("-inf"),
             float("nan"), 0.1, 1e16, 123456789.0, RANDOM.gauss(0, 1e6)]),
        kinds.TYPE_FLOAT: lambda: RANDOM.choice(
            [0.0, 1.5, 0.1, 3.4028234663852886e38, 1.1754944e-38, float("inf"), float("nan"), -7.25]),
        kinds.TYPE_INT32: lambda: integer(32, True),
        kinds.TYPE_SINT32: lambda: integer(32, True),
        kinds.TYPE_SFIXED32: lambda: integer(32, True),
        kinds.TYPE_INT64: lambda: integer(64, True),
        kinds.TYPE_SINT64: lambda: integer(64, True),
        kinds.TYPE_SFIXED64: lambda: integer(64, True),
        kinds.TYPE_UINT32: lambda: integer(32, False),
        kinds.TYPE_FIXED32: lambda: integer(32, False),
        kinds.TYPE_UINT64: lambda: integer(64, False),
        kinds.TYPE_FIXED64: lambda: integer(64, False),
        kinds.TYPE_BOOL: lambda: RANDOM.random() < 0.5,
        kinds.TYPE_STRING: text,
        kinds.TYPE_BYTES: lambda: bytes(
            RANDOM.randrange(256) for _ in range(RANDOM.randint(0, 9))),
        kinds.TYPE_ENUM: lambda: RANDOM.choice([0, 1, 2, -1, 77]),
    }[field.type]()


def fill_well_known(message):
    name = message.DESCRIPTOR.full_name
    if name == "google.protobuf.Timestamp":
        message.seconds = RANDOM.choice([0, 1, -1, 1769850300, -62135596800, 253402300799])
        message.nanos = RANDOM.choice([0, 1, 500_000_000, 123_456_000, 999_999_999])
    elif name == "google.protobuf.Duration":
        message.seconds = RANDOM.choice([0, 1, 90, 315576000000])
        message.nanos = 0 if message.seconds > 1000 else RANDOM.choice([0, 5, 250_000_000, 10_000])
        if RANDOM.random() < 0.5:
            message.seconds, message.nanos = -message.seconds, -message.nanos
    elif name == "google.protobuf.FieldMask":
        message.paths.extend(RANDOM.sample(["title", "due_at", "inner.due_at", "a_b_c"], k=2))
    elif name.endswith("Int64Value"):
        message.value = integer(64, True)
    elif name.endswith("StringValue"):
        message.value = text()


def fill(message, depth=0):
    message.SetInParent()
    if message.DESCRIPTOR.full_name.startswith("google.protobuf."):
        fill_well_known(message)
        return message
    density = RANDOM.choice([0.1, 0.4, 0.9])
    for field in message.DESCRIPTOR.fields:
        if RANDOM.random() > density or (depth > 3 and field.message_type):
            continue
        if field.message_type and field.message_type.GetOptions().map_entry:
            key, value = field.message_type.fields
            target = getattr(message, field.name)
            for _ in range(RANDOM.randint(0, 4)):
                if value.message_type:
                    fill(target[scalar(key)], depth + 1)
                else:
                    target[scalar(key)] = scalar(value)
        elif field.label == field.LABEL_REPEATED:
            target = getattr(message, field.name)
            for _ in range(RANDOM.randint(0, 4)):
                if field.message_type:
                    fill(target.add(), depth + 1)
                else:
                    target.append(scalar(field))
        elif field.message_type:
            fill(getattr(message, field.name), depth + 1)
        else:
            setattr(message, field.name, scalar(field))
    return message


def encoded(message):
    return base64.b64encode(message.SerializeToString(deterministic=True)).decode()


def as_json(message):
    return json_format.MessageToJson(message, indent=None, ensure_ascii=False)


# JSON in unusual spellings, all of which the reference takes.
ACCEPTED = [
    '{}', '{"aDouble": null, "inner": null, "strings": null}', '{"a_double": 1}',
    '{"aDouble": "1.5"}', '{"aDouble": 1e3}', '{"aDouble": "NaN"}', '{"aDouble": "-Infinity"}',
    '{"aFloat": 3.4028234e38}', '{"anInt32": "12"}', '{"anInt32": 1.0}', '{"anInt32": 1e3}',
    '{"anInt32": 100e-2}', '{"anInt32": -2147483648}', '{"anInt64": 9007199254740993}',
    '{"anInt64": "-9223372036854775808"}', '{"aUint64": "18446744073709551615"}',
    '{"aUint64": 18446744073709551615}', '{"anInt32": 0}', '{"aBool": false}', '{"aString": ""}',
    '{"amount": "AMOUNT_LOTS"}', '{"amount": 2}', '{"amount": 99}', '{"amount": -1}',
    '{"someBytes": "AQID"}', '{"someBytes": "-_-_"}', '{"someBytes": "AQ"}',
    '{"someBytes": "AQ=="}', '{"inner": {}}', '{"inner": {"inner": {"count": "5"}}}',
    '{"int32s": []}', '{"int32s": [1, "2", 3.0]}', '{"loose": [1, 2]}', '{"maybe": 0}',
    '{"chosenString": ""}', '{"chosenInt64": "0"}', '{"chosenBool": false}', '{"score": 0}',
    '{"chosenAmount": "AMOUNT_UNSPECIFIED"}', '{"chosenInner": {}}', '{"stringByString": {}}',
    '{"chosenString": null, "chosenBool": true}',
    '{"stringByString": {"b": "1", "a": "2", "": ""}}', '{"bytesByBool": {"true": "AQ=="}}',
    '{"amountByUint64": {"18446744073709551615": "AMOUNT_LOTS", "0": 0, "7": 1}}',
    '{"doubleBySint64": {"-5": 1, "3": "Infinity", "-10": 0}}',
    '{"innerByInt32": {"10": {}, "9": {"name": "x"}, "-1": {}}}',
    '{"at": "2026-01-31T09:05:00Z"}', '{"at": "2026-01-31T09:05:00.5Z"}',
    '{"at": "2026-01-31T09:05:00.000000001+02:00"}', '{"at": "2024-02-29T00:00:00-11:30"}',
    '{"at": "0001-01-01T00:00:00Z"}', '{"at": "9999-12-31T23:59:59.999999999Z"}',
    '{"at": "1969-12-31T23:59:59.5Z"}', '{"took": "0s"}', '{"took": "-0.5s"}',
    '{"took": "1.000000001s"}', '{"took": "-315576000000s"}', '{"mask": ""}',
    '{"mask": "title,innerName.dueAt"}', '{"empty": {}}', '{"wrappedInt64": "0"}',
    '{"wrappedInt64": null}', '{"wrappedString": "x"}', '{"another-name": "x"}',
    '{"renamed": "x"}', '{"with__two_underscores": "x"}', '{"field2With3Digits": "x"}',
    '{"aString": "\\u00f1\\ud834\\udd1e\\n\\/"}', '{"aDouble": 1e-400}',
]

# JSON that the reference refuses.
REFUSED = [
    '', '{', '"x"', '1', 'null x', '{"unknown": 1}', '{"aString": 1}', '{"aString": true}',
    '{"aBool": "true"}', '{"aBool": 1}', '{"anInt32": 1.5}', '{"anInt32": 2147483648}',
    '{"anInt32": "x"}', '{"anInt32": ""}', '{"anInt32": " 1"}', '{"anInt32": true}',
    '{"aUint32": -1}', '{"aUint64": 18446744073709551616}', '{"anInt64": "9223372036854775808"}',
    '{"aFloat": 1e39}', '{"amount": "LOTS"}', '{"inner": "x"}', '{"int32s": 1}',
    '{"int32s": [null]}', '{"inners": [null]}', '{"stringByString": []}',
    '{"stringByString": {"a": null}}', '{"bytesByBool": {"1": "AQ=="}}',
    '{"innerByInt32": {"x": {}}}', '{"innerByInt32": {"2147483648": {}}}',
    '{"chosenString": "x", "chosenBool": true}', '{"at": "2026-01-31"}', '{"at": 5}',
    '{"at": "2026-02-30T00:00:00Z"}', '{"at": "2026-01-31T09:05:00"}',
    '{"at": "0000-12-31T23:59:59Z"}', '{"at": "2026-01-31T09:05:00.1234567890Z"}',
    '{"took": "1"}', '{"took": 1}', '{"took": "315576000001s"}', '{"aString": "\\ud834"}',
    '{"aString": "x', '{"aString": "a\tb"}', '{"aDouble": 01}', '{"aDouble": .5}',
    '{"aDouble": "x"}', '{"aString": "a",}', "{'aString': 'a'}", '{"aDouble": 1} {}',
    '{"aString": "a", "aString": "b"}', '{"wrappedInt64": "x"}',
]


def main():
    everything = load()
    random_ones = [fill(everything()) for _ in range(150)]
    accepted = [json_format.Parse(text, everything()) for text in ACCEPTED]
    for text in REFUSED:
        try:
            json_format.Parse(text, everything())
        except (json_format.ParseError, TypeError, ValueError):
            continue
        raise SystemExit(f"the reference takes {text}")
    vectors = {
        "random": [{"binary": encoded(m), "json": as_json(m)} for m in random_ones],
        "accepted": [
            {"input": text, "binary": encoded(m), "json": as_json(m)}
            for text, m in zip(ACCEPTED, accepted)],
        "refused": REFUSED,
    }
    (HERE / "vectors.json").write_text(
        json.dumps(vectors, indent=1, ensure_ascii=True) + "\n", encoding="utf-8")


main()
