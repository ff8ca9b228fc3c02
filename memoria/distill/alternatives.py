"""Values of the same form as a secret: what it would be held against, had somebody else's been drawn.

What enters: a secret ("741926", "KX-4817", "maple harbour"), how many others, a seed. What leaves: distinct values with
each digit drawn anew, letters (beside digits, or all in capitals) as letters of the same case, words as words of the
packaged `words.yaml`, names as names. Signs, spaces and the small words of a phrase stay.
"""

from __future__ import annotations

import re
import string
from functools import lru_cache
from pathlib import Path
from random import Random
from typing import Any

import yaml

_FILE = Path(__file__).parent / "words.yaml"
_PARTS = re.compile(r"(?P<letters>[^\W\d_]+)|(?P<digit>\d)|(?P<sign>.)", re.DOTALL)
_SMALL = frozenset("and are but for from her his into not our out the their was with you your".split())
_TRIES = 50  # draws for each value wanted: a form of few values is drawn to its end


def alternatives(secret: str, count: int, seed: int = 0) -> list[str]:
    """At most `count` distinct values of the secret's form, never the secret itself; fewer where its form has no more.
    The same of one seed, and drawn without a look at what the secret says beyond its form."""
    random = Random(f"{seed}/{count}")
    parts = [_part(match, secret) for match in _PARTS.finditer(secret)]
    found: dict[str, None] = {}
    for _ in range(count * _TRIES):
        made = "".join(_drawn(form, text, random) for form, text in parts)
        if made != secret:
            found.setdefault(made)
        if len(found) == count:
            break
    return list(found)


def _part(match: re.Match[str], secret: str) -> tuple[str, str]:
    """How a part is drawn anew, and what it is."""
    text = match.group()
    if match["digit"]:
        return "digit", text
    if not match["letters"]:
        return "stays", text
    beside = secret[max(0, match.start() - 1) : match.start()] + secret[match.end() : match.end() + 1]
    if any(each.isdigit() for each in beside) or (text.isupper() and len(text) > 1):
        return "letters", text
    if len(text) < 3 or text in _SMALL:
        return "stays", text
    return ("name" if text[0].isupper() else "word"), text


def _drawn(form: str, text: str, random: Random) -> str:
    if form == "digit":
        return random.choice(string.digits)
    if form == "letters":
        return "".join(random.choice(string.ascii_uppercase if x.isupper() else string.ascii_lowercase) for x in text)
    return random.choice(_listed()[form]) if form in ("word", "name") else text


@lru_cache(maxsize=1)
def _listed() -> dict[str, list[str]]:
    values: Any = yaml.safe_load(_FILE.read_text(encoding="utf-8"))
    return {"word": values["words"].split(), "name": values["names"].split()}
