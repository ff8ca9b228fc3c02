"""How the person wants to be answered: format, length, tone, units; one answer at a time for each.

What enters: a clause, and the turn around it. What leaves: (aspect, value) pairs.
"""

from __future__ import annotations

import re

_ABOUT = re.compile(
    r"\b(?:answers?|repl(?:y|ies)|responses?|explanations?|summar(?:y|ies)|you (?:answer|write|reply|explain|respond|talk|put|lay)|your (?:style|tone|writing|messages?)|style|laid out|lay (?:it|them|things) out|format(?:ting|ted)?|write (?:to|back)|talk to me|speak to me)\b",
    re.IGNORECASE,
)
_WISH = re.compile(
    r"\b(?:prefer|like|want|rather|love|keep|please|use|using|write|give|need|always|only|stick|switch|stop|no more|instead|best|better|make|drop|skip|hate|dislike|can not stand|do not|without|from now on|in future)\b",
    re.IGNORECASE,
)
_AGAINST = r"(?:no|without|stop(?: using)?|drop|skip|hate|dislike|not|never(?: use)?|avoid|can not stand|fewer|less|enough of)(?: the| any| your| more| my| use| using| like| want)*"
_ASPECTS = {
    "answer format": r"(?:bullet(?:ed)?[- ]?(?:points?|lists?)?|numbered (?:lists?|steps)|lists?|(?:short |full |long )?paragraphs?|(?:plain )?prose|tables?|plain text|markdown|headings|step[- ]by[- ]step)",
    "answer length": r"(?:(?:very |really |as )?(?:short|brief|concise|long|detailed|thorough|in[- ]depth)(?:er)?|to the point|one[- ](?:line|liner|sentence|paragraph)s?|(?:two|three|a couple of|a few) (?:lines|sentences|words)|the short version)",
    "answer tone": r"(?:(?:more |less |very )?(?:formal|informal|casual|friendly|blunt|direct|warm|playful|polite|serious|chatty|plain[- ]spoken)|emojis?|exclamation marks|jargon|jokes|humou?r|small talk)",
    "answer units": r"(?:metric|imperial|celsius|fahrenheit|kilomet(?:re|er)s|miles|grams|ounces|cups|24[- ]hour|12[- ]hour)(?: units| system| measurements| time| clock)?",
}
_PATTERNS = {
    name: re.compile(rf"(?P<no>\b{_AGAINST} )?\b(?P<value>{value})\b", re.I) for name, value in _ASPECTS.items()
}


def styles_of(clause: str, turn: str) -> list[tuple[str, str]]:
    """What a clause asks of the assistant's answers; empty where it speaks of something else."""
    if not _ABOUT.search(clause) and not (_ABOUT.search(turn) and len(turn) < 300):
        return []
    if not _WISH.search(clause):
        return []
    found: list[tuple[str, str]] = []
    for aspect, pattern in _PATTERNS.items():
        match = pattern.search(clause)
        if match and not (found and match["value"].lower() in found[0][1].lower()):
            found.append((aspect, f"{'no ' if match['no'] else ''}{match['value'].lower()}"))
    return found
