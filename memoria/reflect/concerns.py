"""What occupies a person at present.

What enters: their own turns. What leaves: sentences of the latest weeks in which they worry, hope or have something
ahead of them, quoted as they stand. A sentence that speaks only of the past is none.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from memoria.clock import from_micros
from memoria.reflect.material import Said

_DAYS = 45  # before the last turn
_MOST = 5
_SHORTEST, _LONGEST = 15, 180  # characters of a sentence worth quoting
_CUES = re.compile(
    r"\b(?:worr(?:y|ied|ies|ying)|afraid|scared|anxious|nervous|stress(?:ed|ful)?|overwhelmed|exhausted|can'?t sleep|"
    r"dread(?:ing)?|hop(?:e|ing)|looking forward|excited|can'?t wait|i (?:need|have|ought|must|want) to|i'?m trying|"
    r"i(?:'d| would|'ll) have to|i might|i miss|resolutions?|i(?:'ve| have) decided|"
    r"i(?:'m| am) (?:going to|planning|thinking (?:of|about)|considering|applying|preparing)|deadline|interview|exam|"
    r"surgery|operation|appointment|due (?:on|in|next))\b",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"[^.!?…\n]+[.!?…]*")


@dataclass(frozen=True)
class Concern:
    """A sentence as it stands in its turn."""

    quote: str
    said: Said

    @property
    def text(self) -> str:
        """It in a line, with its day."""
        return f"“{self.quote}” ({self.said.episode.occurred_at:%Y-%m-%d})"


def concerns(turns: Sequence[Said], moment: int) -> list[Concern]:
    """The latest first; `moment` is that of the last turn, in microseconds."""
    end = from_micros(moment)
    found: list[Concern] = []
    for said in sorted(turns, key=lambda each: (each.episode.occurred_at, each.row), reverse=True):
        if (end - said.episode.occurred_at).days > _DAYS or len(found) >= _MOST:
            break
        quote = next((q for q in sentences(said.episode.text) if _CUES.search(q)), None)
        if quote is not None:
            found.append(Concern(quote, said))
    return found


def sentences(text: str) -> list[str]:
    """The sentences of `text` that can be quoted whole."""
    cut = (each.strip() for each in _SENTENCE.findall(text))
    return [each for each in cut if _SHORTEST <= len(each) <= _LONGEST]
