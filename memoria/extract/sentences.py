"""Cutting a turn into clauses that state something.

What enters: a turn's text. What leaves: `Clause`s with their place in the text. Questions, hypotheticals, jokes marked
as such, quotations, code, and texts that the person asks to have written or reworked state nothing about the person, so
they are left out here, once, for every rule.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_FENCE = re.compile(r"```.*?(?:```|\Z)", re.DOTALL)
_ABBREVIATION = re.compile(r"\b(?:Dr|Mr|Mrs|Ms|St|Prof|Mt|Jr|Sr|vs|etc|e\.g|i\.e|a\.m|p\.m|No|approx|[A-Z])\.$")
_END = re.compile(r"[.!?…]+[\"'”’)\]]*(?=\s|$)|\n+|[\U0001F300-\U0001FAFF]+(?!\s*[,;])")
_QUOTED = re.compile(r"[\"“«][^\"”»]{25,}[\"”»]")

# Where one clause of a sentence ends and the next begins; the word that joins them is kept as `joint`.
_SUBJECTS = (
    r"(?:i|we|she|he|they|it|my|our|his|her|their|that'?s|there'?s|now|i'?m|i'?ve|i'?d|i'?ll|we'?re|we'?ve|she'?s|he'?s"
    r"|they'?re|it'?s|both|you)\b"
)
_JOINT = re.compile(
    rf"\s*(?:;|\s[–—-]{{1,2}}\s|—|:\s(?={_SUBJECTS}))\s*(?:(?P<dash>and|but|so|because)\s+)?"
    rf"|,?\s+(?P<cause>because|since(?=\s+{_SUBJECTS})|as(?=\s+(?:i|we|my|our|it'?s|i'?m|the|she|he)\b(?!\s+(?:well|soon)|\s+[\w-]+\s*(?:$|[.,;!?]))))\s+"
    rf"|,?\s+(?P<so>so|which means|that's why|therefore)\s+(?={_SUBJECTS}|the\b|that\b|(?-i:[A-Z])\w+ (?:is|has)\b)"
    r"|,\s+(?P<thus>so)\s+(?=\S)"
    rf"|,?\s+(?P<but>but|though|although|while|whereas|yet|even though)\s+(?=\S+\s)"
    rf"|,?\s*\band\s+(?={_SUBJECTS}|(?-i:(?:(?:Mr|Mrs|Ms|Dr)\.?\s+)?[A-Z][a-z]+(?:\s+[A-Z][a-z]+)?)\s+(?:is|was|works|lives|has|loves|plays|likes)\b)"
    rf"|,?\s+(?P<and>and)\s+(?=(?:now|then|also|recently|just|even|finally)\b|(?:am|have|was|work|live|love|hate|like|avoid|prefer|enjoy"
    rf"|moved|started|stopped|quit|got|bought|sold|took|became|switched|adopted|joined|left|dislike|refuse|don'?t|can'?t|cannot|can not|will not|won'?t|do not|never|always|only)\b)"
    r"|,\s+(?=(?-i:[A-Z])\w+ (?:is|has|was|plays|lives|works|likes|loves|goes)\b)"
    rf"|,\s+(?!(?:my|our|his|her)\s[\w-]+(?:\s[\w-]+)?,\s)(?={_SUBJECTS})",
    re.IGNORECASE,
)
# "I take iron, so when can I have tea?": what comes before the question is stated.
_ASKING = re.compile(
    r"\s*(?:,|;|\s[–—-])\s*(?:(?:so|and|but)\s+)?(?=(?:what|how|when|which|where|who|why|can|could|should|do|does|did|is|are|any|would|will)\b)|\s+(?:so|and|but)\s+(?=(?:what|how|when|which|where|who|why|can|could|should|do you|does|is (?:it|that|there)|are there|any)\b)",
    re.IGNORECASE,
)
_FRONTED = re.compile(
    r"^(?P<joint>because|since|as|now that|given that|seeing as)\s+(?P<rest>(?:i|we|my|our|the|she|he|it|they)\b.*)$",
    re.IGNORECASE,
)
_QUESTION = re.compile(
    r"^(?:so\s+|and\s+|but\s+|hey,?\s+|ok,?\s+)?(?:what|where|when|who|whom|whose|why|how|which|should|could|can|would|do(?! not forget\b)|does|did|is|are|was|were|will|am"
    r"|have|has|any (?:idea|chance|tips|advice|suggestions?|recommendations?))\b(?!\s+(?:i|we)\s+(?:really\s+)?(?:love|hate|need)\b.*[.!]$)",
    re.IGNORECASE,
)
_HYPOTHETICAL = re.compile(
    r"(?<!even )\bif (?:i|we|my|she|he|they|it|you)\b|\b(?:i|we) (?:might|may|could|would(?! (?:rather|prefer|love(?! to)|never))|wish|should)\b|\b(?:i|we)['’]?d (?!(?:now |really |much |still )?(?:rather|prefer|like|love|been|be ))"
    r"|\b(?:imagine|suppose|supposing|pretend|let'?s say|what if|hypothetically|say i|in theory|maybe|perhaps|thinking (?:of|about)|considering|tempted|picture (?:an?|my|us|me)|dream(?:ing|t|ed)? (?:of|about|that)"
    r"|wonder(?:ing)?|not sure (?:if|whether)|don'?t know (?:if|whether)|hoping to|hope to|wish(?:ing)?)\b|\b(?:would|could|might) be\b|\bas if\b|\bif only\b|\bdo you think\b",
    re.IGNORECASE,
)
_JOKE = re.compile(
    r"\b(?:just kidding|kidding|jk|j/k|joking|a joke|haha+|lol|lmao|rofl|in my dreams|/s|not really|sarcasm)\b|😂|🤣|😜|😉|;-?\)",
    re.IGNORECASE,
)
# What follows is wanted from the assistant, or stands in somebody else's words.
_COMMISSION = re.compile(
    r"^\s*(?:please\s+|can you\s+|could you\s+|hey,?\s+)*(?:write|rewrite|translate|summari[sz]e|proofread|paraphrase|draft|compose|act as|you are(?! (?:now )?(?:talking|speaking|chatting) )|you're an?|pretend|generate|create|"
    r"imagine|correct (?:this|the|my)|fix (?:this|the)|edit (?:this|the|my)|continue|complete|improve|convert|rephrase|reword|classify|extract|answer as|roleplay|role-play|given the|based on the|read the"
    r"|the following|here is (?:a|the|an) (?:text|essay|story|article|paragraph|email|letter|review|conversation|transcript)|in this (?:text|story|essay)|from now on you|ignore (?:all|previous) )\b",
    re.IGNORECASE,
)
_REMEMBER = re.compile(r"\b(?:remember|note|know|keep in mind|save|don't forget|fyi)\b", re.IGNORECASE)
_LONGEST_SENTENCE, _LONGEST_TURN = 400, 4000


@dataclass(frozen=True)
class Clause:
    """A statement: `text` is `turn[begin:stop]`; `joint` is the word before it ("because", "so", "but", ...) or "".

    `sentence` numbers the sentences of the turn; `sentence_span` is where its own stands.
    """

    text: str
    begin: int
    stop: int
    sentence: int
    joint: str
    sentence_span: tuple[int, int]


def clauses_of(text: str) -> list[Clause]:
    """The clauses of `text` that state something, in order. Raises nothing; an unreadable text has none."""
    if len(text) > _LONGEST_TURN or (_COMMISSION.match(text) and not _REMEMBER.search(text[:60])):
        return []
    if text[:1] in "\"“'" and text[-1:] in "\"”'":  # a turn all in quotation marks is the person's own all the same
        text = f" {text[1:-1]} "
    masked = _FENCE.sub(lambda m: "\n" * len(m.group()), text).replace("’", "'").replace("‘", "'")
    masked = _QUOTED.sub(lambda m: '"' + "\n" * (len(m.group()) - 2) + '"', masked)
    found: list[Clause] = []
    spans = list(_sentences(masked))
    for number, (begin, stop) in enumerate(spans):
        sentence = masked[begin:stop]
        if len(sentence) > _LONGEST_SENTENCE or not _states(sentence):
            continue
        after = masked[stop : spans[number + 1][1]] if number + 1 < len(spans) else ""
        if _JOKE.search(after[:40]):
            continue
        found += _cut(sentence, begin, number)
    return found


def statable(text: str) -> list[tuple[int, int]]:
    """Where the sentences stand, questions among them, in which the person speaks in their own words."""
    if len(text) > _LONGEST_TURN or (_COMMISSION.match(text) and not _REMEMBER.search(text[:60])):
        return []
    masked = _QUOTED.sub(lambda m: "\n" * len(m.group()), _FENCE.sub(lambda m: "\n" * len(m.group()), text))
    return [(b, s) for b, s in _sentences(masked) if s - b <= _LONGEST_SENTENCE and not _JOKE.search(masked[b:s])]


def sentences_of(text: str) -> list[tuple[int, int]]:
    """Where the sentences of `text` stand."""
    return list(_sentences(text))


def _states(sentence: str) -> bool:
    plain = sentence.strip()
    if plain.startswith((">", "|", "#", "//", "<")) or plain.endswith(("{", "}", ";", ")}")):
        return False
    return not (_JOKE.search(plain) or (plain.rstrip("\"')").endswith("?") and not _tag_question(plain)))


def _tag_question(sentence: str) -> bool:
    """ "I moved to Lyon last week, any tips?" states something before it asks."""
    return any(mark in sentence for mark in (",", " - ", " so ", "—", " and ", " but "))


def _sentences(text: str) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    begin = 0
    for match in _END.finditer(text):
        piece = text[begin : match.end()]
        if match.group() == "." and _ABBREVIATION.search(piece):
            continue
        found.append((begin, match.end()))
        begin = match.end()
    found.append((begin, len(text)))
    trimmed = [_trim(text, b, s) for b, s in found]
    return [(b, s) for b, s in trimmed if s > b]


def _trim(text: str, begin: int, stop: int) -> tuple[int, int]:
    while begin < stop and text[begin].isspace():
        begin += 1
    while stop > begin and text[stop - 1].isspace():
        stop -= 1
    return begin, stop


def _cut(sentence: str, offset: int, number: int) -> list[Clause]:
    span = (offset, offset + len(sentence))
    asks = sentence.rstrip("\"')").endswith("?")
    pieces: list[tuple[int, int, str]] = []
    begin, joint = 0, ""
    fronted = _FRONTED.match(sentence)
    if fronted:
        begin, joint = fronted.start("rest"), "because"
    for match in _JOINT.finditer(sentence, begin):
        if match.start() <= begin:
            continue
        pieces.append((begin, match.start(), joint))
        words = [word for word in match.groupdict().values() if word]
        joint = "because" if match.group("cause") else (words[0].lower() if words else "")
        begin = match.end()
    question = _ASKING.search(sentence, begin) if asks else None
    if question and question.start() > begin:
        pieces.append((begin, question.start(), joint))
        begin, joint = question.end(), ""
    pieces.append((begin, len(sentence), joint))
    found: list[Clause] = []
    for start, end, word in pieces:
        start, end = _trim(sentence, start, end)
        text = sentence[start:end].rstrip(" .!,;:?…")
        last = end == len(sentence.rstrip())
        if len(text) < 4 or (asks and last) or _QUESTION.match(text) or _HYPOTHETICAL.search(text):
            continue
        found.append(Clause(text, offset + start, offset + start + len(text), number, word, span))
    return found
