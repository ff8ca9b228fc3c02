"""From text to the terms that lexical search counts.

What enters: any text. What leaves: normalised terms: NFKC and casefolded; English stop words dropped and the rest
stemmed (Snowball, through PyStemmer); scripts written without spaces cut into overlapping pairs of characters.
The ledger's full-text index and every query go through here, so the two can never disagree. `VERSION` changes when
the terms of some text would; each home records the one it was indexed by, so that a later memoria knows what to redo.
"""

from __future__ import annotations

import re
import threading
import unicodedata
from functools import lru_cache
from typing import Any

import Stemmer

VERSION = 1

# Chinese, Japanese, Korean, Thai, Lao, Khmer, Burmese: no spaces between words, so pairs of characters stand in.
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
    "\U00020000-\U0003ffff"
)
_TOKEN = re.compile(rf"[{_UNSPACED}]+|[^\W{_UNSPACED}_]+")
_IS_UNSPACED = re.compile(rf"[{_UNSPACED}]")
# English words of up to five letters are one token for nearly every vocabulary.
_MODEL_TOKEN = re.compile(r"[a-zA-Z]{1,5}|\d|[^\sa-zA-Z\d]")
_APOSTROPHE = re.compile(r"(?<=\w)['\u2019\u02bc](?=\w)")

STOP_WORDS = frozenset(
    """a about above after again against all am an and any are aren arent as at be because been before being below
    between both but by can cannot cant could couldnt did didnt do does doesnt doing dont down during each few for from
    further had hadnt has hasnt have havent having he hed hell her here heres hers herself hes him himself his how hows
    i id ill im in into is isnt it its itself ive just lets me more most mustnt my myself no nor not now of off on once
    only or other ought our ours ourselves out over own same shant she shed shell shes should shouldnt so some such
    than that thats the their theirs them themselves then there theres these they theyd theyll theyre theyve this those
    through to too under until up very was wasnt we wed well were werent weve what whats when whens where wheres which
    while who whom whos whose why whys will with wont would wouldnt you youd youll your youre yours yourself yourselves
    youve""".split()
)

# Longer runs are keys and blobs; whoever searches for one still finds it by its beginning.
_LONGEST = 64

_local = threading.local()


def _stemmer() -> Any:
    """One stemmer a thread: PyStemmer's objects are not safe to share."""
    if not hasattr(_local, "stemmer"):
        _local.stemmer = Stemmer.Stemmer("english")
    return _local.stemmer  # pyright: ignore[reportUnknownVariableType]  # PyStemmer has no types


@lru_cache(maxsize=65536)
def _stem(word: str) -> str:
    return _stemmer().stemWord(word)


def fold(text: str) -> str:
    """`text` in NFKC, casefolded, with apostrophes inside words removed ("don't" is "dont")."""
    if text.isascii():
        return _APOSTROPHE.sub("", text.lower())
    return _APOSTROPHE.sub("", unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold()))


def terms(text: str) -> list[str]:
    """The terms of `text`, in order, repeats kept; empty when it has stop words and marks alone."""
    found: list[str] = []
    for token in _TOKEN.findall(fold(text)):
        if _IS_UNSPACED.match(token):
            found.extend(_pairs(token))
        elif token not in STOP_WORDS:
            found.append(_stem(token[:_LONGEST]))
    return found


def count_tokens(text: str) -> int:
    """An estimate of a language model's tokens of `text`: pieces of five letters, and every digit, mark and other
    letter one. Meant to be high."""
    return len(_MODEL_TOKEN.findall(text))


def _pairs(run: str) -> list[str]:
    """Overlapping pairs of characters of an unspaced run; a single character stands alone."""
    return [run] if len(run) == 1 else [run[i : i + 2] for i in range(len(run) - 1)]
