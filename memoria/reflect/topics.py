"""What a person keeps coming back to.

What enters: their own turns. What leaves: topics, each with the turns that speak of it: names, and nouns told by what
stands around them, that come up in several sessions. A topic's line is made of its turns alone, so that it can be made
again from what the line cites, and compared.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise, zip_longest
from math import comb

from memoria.reflect.material import Said
from memoria.store.text import STOP_WORDS, fold, terms

LEAST_SESSIONS = 3
_LEAST_SHARE = 0.05  # of all sessions, where there are many
_MOST = 12
_NAMELIKE, _NOUNLIKE = 0.7, 0.5  # shares of a word's mentions from which on it counts as a name, or a noun
_UNLIKELY = 0.01  # the chance, were all weekdays alike, below which a weekday is no accident

_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_PLACELIKE = 0.4
_WITHIN = 0.2  # share of a name's mentions that stand within a sentence, where nothing else is written large
_OTHERWISE = 0.5  # share of a noun's mentions from which on it is no topic: it goes with another noun, or speaks of one
_BEFORE_PLACE = frozenset("in to from at near".split())
_BEFORE_NOUN = frozenset("a an the my our his her their".split())
_SPEAKS_OF = frozenset(("of", "to"))  # "a sense of", "the ability to": of what follows
# Nouns that speak of nothing in particular, and words that stand where nouns do.
_VAGUE = frozenset(
    """thing things time times day days week weeks month months year years way ways lot lots bit kind sort part end
    point people person man woman guy someone something anything nothing everything everyone one two three first
    second last next same other others new old good great little big best better worse whole few many much half
    hour hours minute minutes moment today tomorrow yesterday morning afternoon evening night monday tuesday
    wednesday thursday friday saturday sunday january february march april may june july august september october
    november december idea reason fact case place side word words name number home house work stuff matter question
    answer course sure problem yes okay hey hello thanks please really actually maybe well""".split()
)
_WEEKDAYS = ("Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays")


@dataclass(frozen=True)
class Topic:
    """A topic by its term, as the person writes it, with the turns that speak of it."""

    term: str
    name: str
    is_name: bool
    turns: tuple[Said, ...]
    is_place: bool = False

    @property
    def sessions(self) -> int:
        """In how many sessions it comes up."""
        return len({each.episode.session for each in self.turns})


def topics(turns: Sequence[Said], rarity: dict[str, float] | None = None) -> list[Topic]:
    """The topics that recur, the most talked of first; `rarity` (by term, 1 where missing) weighs them."""
    speaking: dict[str, list[Said]] = defaultdict(list)
    surfaces: dict[str, Counter[str]] = defaultdict(Counter)
    names: Counter[str] = Counter()
    nouns: Counter[str] = Counter()
    inside: Counter[str] = Counter()  # as a name, within a sentence: there a capital says so
    places: Counter[str] = Counter()
    elsewhere: Counter[str] = Counter()
    pairs: Counter[tuple[str, str]] = Counter()
    for said in turns:
        words = list(_words(said.episode.text))
        pairs.update((a.term, b.term) for a, b in pairwise(words) if a.is_name and b.is_name and b.begin - a.end < 5)
        for word in words:
            inside[word.term] += word.is_name and not word.starts
            places[word.term] += word.is_place
            surfaces[word.term][word.surface] += 1
            names[word.term] += word.is_name
            nouns[word.term] += word.is_noun
            elsewhere[word.term] += word.is_noun and not word.is_head
        for term in dict.fromkeys(word.term for word in words):
            speaking[term].append(said)
    least = max(LEAST_SESSIONS, int(_LEAST_SHARE * len({each.episode.session for each in turns})))
    titles = _titles(pairs, surfaces)
    found: list[Topic] = []
    for term, mentions in speaking.items():
        total = surfaces[term].total()
        named = names[term] >= _NAMELIKE * total and inside[term] >= _WITHIN * total
        noun = nouns[term] >= _NOUNLIKE * total and elsewhere[term] < _OTHERWISE * nouns[term]
        if term not in titles and (named or noun):
            whole = [a for a, b in pairs if b == term and a in titles and pairs[a, b] * 2 >= total]
            name = " ".join(surfaces[each].most_common(1)[0][0] for each in (*whole[:1], term))
            topic = Topic(term, name, named, tuple(mentions), places[term] >= _PLACELIKE * total)
            if topic.sessions >= least:
                found.append(topic)
    weight = rarity or {}
    found.sort(key=lambda each: (-each.sessions * weight.get(each.term, 1.0), each.term))
    return [each for each in found if weight.get(each.term, 1.0) > 0][:_MOST]


def _titles(pairs: Counter[tuple[str, str]], surfaces: dict[str, Counter[str]]) -> set[str]:
    """What stands before names and is none: titles, and what streets begin with."""
    leading: Counter[str] = Counter()
    for (one, _), count in pairs.items():
        leading[one] += count
    return {each for each, count in leading.items() if count >= _NAMELIKE * surfaces[each].total()}


def mentions(term: str, turns: Iterable[Said]) -> list[Said]:
    """The turns that speak of a term."""
    return [said for said in turns if term in terms(said.episode.text)]


def line_of(topic: Topic, weekdays: Sequence[float]) -> str:
    """The topic in a line: how often, since when, on which weekday; `weekdays` are all sessions' (`weekday_shares`)."""
    days = sorted(each.episode.occurred_at for each in topic.turns)
    span = " to ".join(dict.fromkeys(f"{day:%Y-%m-%d}" for day in (days[0], days[-1])))
    weekday = weekday_of(topic, weekdays)
    on = f", mostly on {_WEEKDAYS[weekday]}" if weekday is not None else ""
    return f"often speaks of {topic.name}: {len(topic.turns)} turns in {topic.sessions} sessions, {span}{on}"


def weekday_shares(turns: Sequence[Said]) -> list[float]:
    """Which share of the sessions falls on each weekday, Monday first; (7,)."""
    days = Counter({each.episode.session: each.episode.occurred_at.weekday() for each in turns}.values())
    return [days[weekday] / max(1, days.total()) for weekday in range(7)]


def weekday_of(topic: Topic, weekdays: Sequence[float]) -> int | None:
    """The weekday (0 is Monday) of more than half of its sessions, where that is no accident among all sessions."""
    days = {each.episode.session: each.episode.occurred_at.weekday() for each in topic.turns}
    weekday, count = Counter(days.values()).most_common(1)[0]
    return weekday if count * 2 > len(days) and _chance(count, len(days), weekdays[weekday]) < _UNLIKELY else None


def _chance(count: int, total: int, share: float) -> float:
    """The chance of at least `count` of `total` sessions on a weekday that has `share` of all (binomial); times seven,
    as any of them might have been it (Bonferroni)."""
    return 7 * sum(comb(total, k) * share**k * (1 - share) ** (total - k) for k in range(count, total + 1))


@dataclass(frozen=True)
class _Word:
    """A word that may be a topic, where it stands, and whether as a name or as a noun; the `is_head` of its phrase goes
    with no noun after it ("a vibrant community") and leads to none ("a sense of community")."""

    term: str
    surface: str
    begin: int
    end: int
    is_name: bool
    is_noun: bool
    is_head: bool
    starts: bool
    is_place: bool


def _words(text: str) -> Iterable[_Word]:
    before, place = "", 0
    matches = list(_WORD.finditer(text))
    for match, following in zip_longest(matches, matches[1:]):
        gap = text[place : match.start()]
        starts = place == 0 or any(mark in gap for mark in '.!?:;\n“"')
        word, place = match[0], match.end()
        folded = fold(word)
        if folded not in STOP_WORDS and folded not in _VAGUE and len(folded) > 2 and (term := _term(word)):
            # What begins a sentence may be either; where else a word stands decides for it.
            is_name = word[:1].isupper() and not word.isupper()
            is_noun = not starts and before in _BEFORE_NOUN
            is_head = following is None or _ends_phrase(text[place : following.start()], fold(following[0]))
            yield _Word(term, word, match.start(), place, is_name, is_noun, is_head, starts, before in _BEFORE_PLACE)
        before = folded


def _ends_phrase(gap: str, following: str) -> bool:
    """Whether a phrase ends before `gap` and the word `following`: at a mark, or a word that is no noun."""
    return bool(gap.strip()) or (following in STOP_WORDS and following not in _SPEAKS_OF)


@lru_cache(maxsize=65536)
def _term(word: str) -> str:
    found = terms(word)
    return found[0] if len(found) == 1 else ""
