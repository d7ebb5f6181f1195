"""Vectors without a model: texts that share words are near each other."""

from __future__ import annotations

import base64
import math
import re
import struct
import unicodedata
import zlib
from typing import Any, Dict, List


def vector(text: str, dimensions: int) -> List[float]:
    """Each word has a place and a sign by its hash: the same everywhere."""
    numbers = [0.0] * dimensions
    plain = unicodedata.normalize("NFKD", text.lower())
    plain = "".join(c for c in plain if not unicodedata.combining(c))
    for word in re.findall(r"[^\W_]{3,}", plain):
        hashed = zlib.crc32(word.encode())
        numbers[hashed % dimensions] += 1.0 if hashed >> 16 & 1 else -1.0
    length = math.sqrt(sum(number * number for number in numbers))
    if length == 0.0:
        numbers[0] = length = 1.0
    return [number / length for number in numbers]


def embeddings_answer(body: Dict[str, Any], dimensions: int) -> Dict[str, Any]:
    """What `/v1/embeddings` answers to a request."""
    texts = [body["input"]] if isinstance(body["input"], str) else body["input"]
    size = body.get("dimensions", dimensions)

    def encoded(text: str) -> Any:
        numbers = vector(text, size)
        if body.get("encoding_format") != "base64":
            return numbers
        return base64.b64encode(struct.pack(f"<{size}f", *numbers)).decode()

    data = [
        {"object": "embedding", "index": index, "embedding": encoded(text)}
        for index, text in enumerate(texts)
    ]
    usage = {"prompt_tokens": len(texts), "total_tokens": len(texts)}
    return {"object": "list", "data": data, "model": body["model"], "usage": usage}
