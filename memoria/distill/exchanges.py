"""What a person thought of answers that they were given: by correcting them, by a vote, or by their next turn.

What enters: the turns in order, and feedback. What leaves: pairs of a better and a worse answer to the same question,
and the answers that were liked without another to compare. An assistant's words are learnt only where the person took
them: by a vote, by their own pen, or by a word of thanks after they had turned another answer down. What follows on a
tool's turn may only repeat it, and is left out unless the person wrote it; so is what gives orders.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from memoria.distill.material import Material, may_learn
from memoria.distill.records import Example, Pair
from memoria.distill.splits import group_of, split_of
from memoria.extract.ontology import key_of
from memoria.extract.proposals import SELF, speaker_of
from memoria.records import Episode
from memoria.remember.trust import gives_orders, without_echo
from memoria.store.feedback import Feedback

_MOST = 4  # pairs of votes on one question
_NOTHING_SAID = Feedback(0, None)
_ASKS = re.compile(
    r"\?|^\W*(?:please\b|(?:can|could|would|will) you\b|(?:write|give|tell|suggest|recommend|plan|find|make|help"
    r"|explain|show|describe|draft|name|list|translate|summari[sz]e|i need|i would like|i'd like)\b)",
    re.IGNORECASE,
)
_TURNED_DOWN = re.compile(
    r"^\W*(?:(?:hm+|well|oh|sorry)[,.]? )?(?:no\b(?! (?:problem|worries))|nope\b|not (?:that|this|quite|really|what)\b"
    r"|i(?:'d| would) (?:rather|prefer)\b|(?:that|this|it)(?:'s| is| was) (?:(?:far |much |way |a bit )?too|not)\b"
    r"|(?:way |much |far |a bit )?too \w+|(?:a bit |much )?(?:shorter|longer|simpler|less|more \w+), please"
    r"|(?:please )?(?:make|keep) it (?:\w+ )?\w+|(?:can|could) you make it|something else"
    r"|i (?:do not|don't) (?:like|want) (?:that|this|it)\b|anything else\b|try again\b)",
    re.IGNORECASE,
)
_TAKEN = re.compile(
    r"^\W*(?:(?:ah|oh|yes|yeah)[,.!]? )?(?:perfect|great|thanks|thank you|lovely|wonderful|excellent|brilliant|ideal"
    r"|exactly|much better|better|that(?:'s| is) (?:better|much better|perfect|great|it|good|lovely|what i)"
    r"|i like (?:that|it)|love it|i love (?:that|it)|that works|good|nice|super|obrigad[oa])\b"
    r"(?!.*\b(?:but|however|though)\b)",
    re.IGNORECASE | re.DOTALL,
)


@dataclass(frozen=True)
class Answer:
    """An assistant's turn with the turn that it answers; `own`: no tool's turn stands between them."""

    asked: Episode
    turn: Episode
    own: bool

    @property
    def learnable(self) -> bool:
        """Whether the answer's own words may be learnt."""
        return self.own and not gives_orders(self.turn.text, self.turn.trust)

    @property
    def ids(self) -> tuple[str, str]:
        """The turns."""
        return self.asked.id, self.turn.id


@dataclass
class _Question:
    """All that was answered to one question, and thought of it."""

    liked: list[Answer] = field(default_factory=list[Answer])
    disliked: list[Answer] = field(default_factory=list[Answer])


def exchange_pairs(material: Material) -> tuple[list[Pair], list[Example]]:
    """The pairs, by edits, votes and dialogue; and the liked answers that are in none."""
    answers = _answers(material.turns)
    pairs = [*_edits(answers, material.feedback)]
    voted, alone = _votes(answers, material.feedback)
    pairs += voted
    pairs += _dialogue(material.turns, material.feedback)
    found: dict[tuple[str, str, str], Pair] = {}
    for each in pairs:
        found.setdefault((each.prompt, each.chosen, each.rejected), each)
    paired = {(each.prompt, each.chosen) for each in found.values()}
    return list(found.values()), [each for each in alone if (each.prompt, each.answer) not in paired]


def _answers(turns: Sequence[Episode]) -> list[Answer]:
    """Each assistant's turn with the person's question before it in its session, both learnable."""
    found: list[Answer] = []
    asked: dict[str, Episode] = {}
    between: dict[str, bool] = {}
    for turn in turns:
        if turn.role == "user":
            learnable = turn.trust == "user" and may_learn(turn)
            if not (turn.session in asked and learnable and _TURNED_DOWN.match(turn.text)):
                asked[turn.session] = turn  # else what follows still answers the question
            between[turn.session] = False
        elif turn.role == "assistant" and turn.trust == "assistant":
            question = asked.get(turn.session)
            if question is not None and question.trust == "user" and may_learn(question) and may_learn(turn):
                found.append(Answer(question, turn, not between[turn.session]))
        else:
            between[turn.session] = True
    return found


def _edits(answers: Sequence[Answer], feedback: Mapping[str, Feedback]) -> Iterator[Pair]:
    for each in answers:
        given = feedback.get(each.turn.id)
        better = without_echo(given.correction or "") if given is not None else ""
        if better and better != each.turn.text.strip():  # a list in the place of a sentence is another answer
            yield _pair("edit", each.asked, better, each.turn.text, each.ids)


def _votes(answers: Sequence[Answer], feedback: Mapping[str, Feedback]) -> tuple[list[Pair], list[Example]]:
    questions: dict[str, _Question] = defaultdict(_Question)
    # Of the same answer to the same question what was thought last counts.
    told = {(key_of(each.asked.text), each.turn.text): each for each in answers if each.turn.id in feedback}
    for (asked, _), each in told.items():
        given, question = feedback[each.turn.id], questions[asked]
        if given.score > 0 and given.correction is None and each.learnable:
            question.liked.append(each)
        elif given.score < 0:
            question.disliked.append(each)
    pairs: list[Pair] = []
    alone: list[Example] = []
    for question in questions.values():
        several = [(liked, other) for liked in question.liked for other in question.disliked]
        for liked, other in several[:_MOST]:
            ids = tuple(dict.fromkeys((*liked.ids, *other.ids)))
            pairs.append(_pair("vote", liked.asked, liked.turn.text, other.turn.text, ids))
        if not question.disliked:
            alone += [_example(each) for each in question.liked]
    return pairs, alone


def _dialogue(turns: Sequence[Episode], feedback: Mapping[str, Feedback]) -> Iterator[Pair]:
    """Question, answer, no; answer, thanks; and no word of feedback against what they gave thanks for."""
    sessions: dict[str, list[Episode]] = defaultdict(list)
    for turn in turns:
        sessions[turn.session].append(turn)
    for held in sessions.values():
        for at in range(len(held) - 4):
            asked, first, no, second, thanks = five = held[at : at + 5]
            if not _talk(five) or not (_ASKS.search(asked.text) and not first.text.rstrip().endswith("?")):
                continue
            turned = _TURNED_DOWN.match(no.text) and _TAKEN.match(thanks.text) and not _TURNED_DOWN.match(thanks.text)
            given = feedback.get(second.id, _NOTHING_SAID)
            taken = given.score >= 0 and given.correction is None and second.text != first.text
            if turned and taken and not gives_orders(second.text, second.trust):
                yield _pair("dialogue", asked, second.text, first.text, tuple(turn.id for turn in five))


def _talk(turns: Sequence[Episode]) -> bool:
    """Whether the person and the assistant take turns, the person first, all learnable; nobody else's thanks count."""
    roles = ("user", "assistant", "user", "assistant", "user")
    return all(
        turn.role == role and turn.trust == role and may_learn(turn) and (role != "user" or speaker_of(turn) == SELF)
        for turn, role in zip(turns, roles, strict=True)
    )


def _pair(kind: str, asked: Episode, chosen: str, rejected: str, ids: tuple[str, ...]) -> Pair:
    group = group_of("asked", key_of(asked.text))
    values = {"kind": kind, "prompt": asked.text, "chosen": chosen, "rejected": rejected, "episode_ids": ids}
    return Pair.model_validate({**values, "group": group, "split": split_of(group)})


def _example(answer: Answer) -> Example:
    group = group_of("asked", key_of(answer.asked.text))
    return Example(
        kind="preference",
        prompt=answer.asked.text,
        answer=answer.turn.text,
        group=group,
        split=split_of(group),
        episode_ids=answer.ids,
    )
