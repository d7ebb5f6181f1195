"""What the server is compared with by words: BM25. And what is ranked."""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter, defaultdict
from typing import Dict, Iterable, List, NamedTuple, Sequence, Tuple

import numpy as np
from corpus import REPOSITORY

Key = Tuple[str, ...]
"""What counts as one result: a section (path, anchor), a goal or a file of code (id)."""

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


def distinct(keys: Iterable[Key]) -> List[Key]:
    """Each once, at its best place."""
    return list(dict.fromkeys(keys))
