"""What a client-writer sees of the contract is described: every message, field, value and method."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Iterator, List, Tuple

from google.protobuf import descriptor_pb2 as pb

REPOSITORY = Path(__file__).resolve().parents[2]
Element = Tuple[Tuple[int, ...], str]


def of_enum(kind: pb.EnumDescriptorProto, path: Tuple[int, ...], name: str) -> Iterator[Element]:
    yield path, name
    for place, value in enumerate(kind.value):
        yield (*path, 2, place), f"{name}.{value.name}"


def of_message(
    message: pb.DescriptorProto, path: Tuple[int, ...], name: str
) -> Iterator[Element]:
    if message.options.map_entry:
        return
    yield path, name
    for place, field in enumerate(message.field):
        yield (*path, 2, place), f"{name}.{field.name}"
    for place, inner in enumerate(message.nested_type):
        yield from of_message(inner, (*path, 3, place), f"{name}.{inner.name}")
    for place, kind in enumerate(message.enum_type):
        yield from of_enum(kind, (*path, 4, place), f"{name}.{kind.name}")


def elements(file: pb.FileDescriptorProto) -> Iterator[Element]:
    for place, message in enumerate(file.message_type):
        yield from of_message(message, (4, place), message.name)
    for place, kind in enumerate(file.enum_type):
        yield from of_enum(kind, (5, place), kind.name)
    for place, service in enumerate(file.service):
        yield (6, place), service.name
        for number, method in enumerate(service.method):
            yield (6, place, 2, number), f"{service.name}/{method.name}"


def test_all_of_the_contract_is_described(tmp_path: Path) -> None:
    protos = REPOSITORY / "Protos"
    files = sorted(protos.glob("hito/v1/*.proto"))
    output = tmp_path / "set"
    subprocess.run(
        ["protoc", f"-I{protos}", "--include_source_info", f"--descriptor_set_out={output}", *files],
        check=True,
    )
    described = pb.FileDescriptorSet.FromString(output.read_bytes())
    missing: List[str] = []
    count = 0
    for file in described.file:
        comments = {
            tuple(place.path): place.leading_comments or place.trailing_comments
            for place in file.source_code_info.location
        }
        for path, name in elements(file):
            count += 1
            if not comments.get(path, "").strip():
                missing.append(f"{file.name}: {name}")
    assert count > 1000 and not missing, missing
