"""What occupies a person at present.

What enters: their own turns. What leaves: sentences of the latest weeks in which they worry, hope or have something
ahead of them, quoted as they stand. A sentence that speaks only of the past is none.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from memoria.clock import from_micros
from memoria.reflect.material import SENTENCE, Said

_DAYS = 45  # before the last turn
_MOST = 5
_SHORTEST, _LONGEST = 15, 180  # characters of a sentence worth quoting
# What is ahead, said so in the first person or named by a word that speaks of nothing else.
_AHEAD = re.compile(
    r"\b(?:looking forward|can'?t wait|can'?t sleep|resolutions?|deadline|interview|exam|surgery|operation|appointment|"
    r"due (?:on|in|next)|i (?:really |still |just |also )?(?:need|have|ought|must|want|hope) to|"
    r"i(?:'d| would|'ll) have to|i might(?! have\b| not have\b)|i miss|i'?m (?:trying|hoping)|i hope|"
    r"i(?:'ve| have) decided|"
    r"i(?:'m| am) (?:going to|planning|thinking (?:of|about)|considering|applying|preparing))\b",
    re.IGNORECASE,
)
# A feeling concerns the person where they say so of themselves, and now: "I'm so worried", "it makes me anxious".
_FEELING = re.compile(
    r"\b(?:i(?:'m|'ve been| am| feel| keep| have been| still feel| get)|(?:makes?|making|leaves?|keeps?) me)\b"
    r"[^,.;:]{0,30}?\b(?:worr(?:y|ied|ying)|afraid|scared|anxious|nervous|stress(?:ed|ing)?|overwhelmed|exhausted|"
    r"dreading|excited)\b|\bi (?:worry|dread)\b|\bworr(?:ies|ying) me\b",
    re.IGNORECASE,
)


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
        quote = next((q for q in sentences(said.episode.text) if concerning(q)), None)
        if quote is not None:
            found.append(Concern(quote, said))
    return found


def concerning(sentence: str) -> bool:
    """Whether a sentence speaks of what is ahead of the person, or of how they feel. A question asks for something."""
    return not sentence.endswith("?") and bool(_AHEAD.search(sentence) or _FEELING.search(sentence))


def sentences(text: str) -> list[str]:
    """The sentences of `text` that can be quoted whole."""
    cut = (each.strip() for each in SENTENCE.findall(text))
    return [each for each in cut if _SHORTEST <= len(each) <= _LONGEST]
