"""A personal assistant for years: it remembers each exchange, answers from memory, and shows what an answer rests on.

What enters: what a person says. What leaves: words as they come, then an `Answer` with its sources. The memory itself
is what lasts: a restart begins a new thread (or goes on with one by its name) and recalls.

How it answers depends on whether its model is trusted. A trusted model (`strict=False`; a large one) writes every
answer from the recalled context, told whether the memory holds one. With a small model, or none (`strict=True`), the
memory answers: a belief that says what is asked is stated and cited; where nothing is known, that is said and no model
asked; where only turns are known, they are quoted, and the small model may add a sentence, marked as its own, if one
of them bears out each of its words. None of its words is ever remembered.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from itertools import islice
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from memoria_graphs.extractive import NOTED, UNKNOWN, asks

from memoria import Context, Episode, Memory, Turn, UnknownUser
from memoria.clock import Clock, utc_now
from memoria.records import Evidence
from memoria_agents import prompts
from memoria_agents.answer import Answer, Basis, Learnt, basis_of, cited_in
from memoria_agents.inspector import Inspector
from memoria_agents.phrasing import believed, sentence
from memoria_agents.sieve import borne_out, reaction

UNSURE = "I am not sure that you told me. The nearest that I believe: "
SMALL = "(in a small model's words: judge by the quotes)"
QUOTING = "From what I remember:"
_SHORT = 48  # pieces of a small model's sentence; a longer one is let go
_TALK = 12  # messages of the thread that a trusted model sees again


class Assistant:
    """One person's assistant over `memory`.

    Args:
        model: what puts answers into words; None answers in the memory's words alone, offline.
        strict: whether the memory decides what is said; see above. Leave it on for small models.
        thread: the session's name; one that exists is gone on with. None begins a new one, named by the time.
        clock: what tells the time.
    """

    def __init__(
        self,
        memory: Memory,
        *,
        user: str,
        tenant: str = "default",
        model: BaseChatModel | None = None,
        strict: bool = True,
        thread: str | None = None,
        clock: Clock = utc_now,
    ) -> None:
        self._memory, self._model, self._strict, self._clock = memory, model, strict, clock
        self._user = user
        self._whose: dict[str, Any] = {"user": user, "tenant": tenant}
        self._inspector = Inspector(memory, user=user, tenant=tenant, clock=clock)
        self.thread = thread or f"chat-{clock():%Y-%m-%dT%H-%M-%S}"
        self.last: Answer | None = None
        self._talk: list[BaseMessage] = []
        self.reload()

    def reload(self) -> None:
        """Take the talk so far from the memory again: what was forgotten is out of the prompt, too."""
        self.last = None
        try:
            kept = self._memory.episodes(**self._whose, session=self.thread, last=_TALK)
        except UnknownUser:
            kept = []
        self._talk = [_message(each) for each in kept if each.role in ("user", "assistant")]

    def ask(self, text: str, *, now: datetime | None = None) -> Answer:
        """Say something and hear the whole answer. `now` (aware) is for replays."""
        for _ in self.stream(text, now=now):
            pass
        assert self.last is not None
        return self.last

    def stream(self, text: str, *, now: datetime | None = None) -> Generator[str]:
        """Say something and hear the answer's words as they come; then `last` is the `Answer`, with its sources.

        Closing the stream stops the answer. What was said is remembered before the first word of it, a trusted model's
        answer after the last. Raises what `Memory.recall` and `Memory.remember` raise; where the model fails, the
        memory answers alone and says so.
        """
        asked = asks(text)
        context = self._recalled(text, now)
        basis = basis_of(text, context, self._memory.ontology) if asked else Basis()
        learnt = self._told(text, now)
        known = basis.known if asked else None
        answer = Answer(text, known=known, context=context, basis=basis, learnt=learnt, stopped=True)
        self._talk.append(HumanMessage(text))
        words: list[str] = []
        try:
            whole = yield from _kept(self._words(answer, now), words)
            answer = replace(whole, stopped=False)
        finally:
            self._finish(replace(answer, text="".join(words).strip()), now)

    # -- inside --------------------------------------------------------------------------------------------------

    def _recalled(self, text: str, now: datetime | None) -> Context:
        try:
            return self._memory.recall(text, **self._whose, now=now)
        except UnknownUser:  # the first words of somebody new
            return Context(query=text, **self._whose, now=now or self._clock())

    def _told(self, text: str, now: datetime | None) -> tuple[Learnt, ...]:
        """Remember what the person says; the beliefs that it brought."""
        kept = self._memory.remember(Turn(text=text, speaker=self._user, time=now), **self._whose, session=self.thread)
        told = {turn.id for turn in kept}
        found = [each for turn in kept for each in self._memory.explain_turn(turn.id, **self._whose).beliefs]
        stories = [self._memory.explain(each, **self._whose) for each in dict.fromkeys(found)]
        return tuple(
            Learnt(
                story.belief.id,
                story.belief.statement,
                tuple(self._memory.explain(old, **self._whose).belief.statement for old in story.supersedes),
            )
            for story in stories
            if story.belief.status == "current" and any(_says_so(piece, told) for piece in story.evidence)
        )

    def _finish(self, answer: Answer, now: datetime | None) -> None:
        self.last = answer
        if answer.text:
            self._talk = [*self._talk, AIMessage(answer.text)][-_TALK:]
        if answer.text and not answer.stopped and self._trusted and answer.inspected is None:
            said = Turn(text=answer.text, role="assistant", speaker="assistant", time=now)
            self._memory.remember(said, **self._whose, session=self.thread)

    @property
    def _trusted(self) -> bool:
        return self._model is not None and not self._strict

    def _words(self, answer: Answer, now: datetime | None) -> Generator[str, None, Answer]:
        """The words; at their end the answer, with what they turned out to rest on."""
        inspected = self._inspector.inspect(answer.asked, now)
        if inspected is not None:
            yield inspected.text
            return replace(answer, inspected=inspected, basis=Basis(), known=None)
        try:
            if self._trusted:
                return (yield from self._free(answer))
            yield from self._bound(answer)
        except Exception as error:  # a provider's own, of which there are many
            if self._model is None:
                raise
            yield f"\n(The model failed: {_first_line(error)}. What follows is from the memory alone.)\n"
            yield from self._stated(answer)
        return answer

    def _free(self, answer: Answer) -> Generator[str, None, Answer]:
        """A trusted model's answer, token by token."""
        assert self._model is not None and answer.context is not None
        prompt = prompts.free_prompt(self._user, self._talk, answer.context, answer.basis)
        said: list[str] = []
        with closing(_spoken(self._model, prompt)) as pieces:
            for piece in pieces:
                said.append(piece)
                yield piece
        return replace(answer, basis=cited_in("".join(said), answer.context, answer.basis))

    def _bound(self, answer: Answer) -> Generator[str]:
        """The memory's answer, with what a small model may say of it."""
        if answer.known is None:
            yield from self._reaction(answer)
        elif self._model is None or not answer.basis.known or answer.basis.beliefs:
            yield from self._stated(answer)
        else:
            prompt, texts = prompts.strict_prompt(answer.asked, answer.basis), prompts.notes_of(answer.basis)
            with closing(_spoken(self._model, prompt)) as pieces:
                said = borne_out(islice(pieces, _SHORT), answer.asked, texts)
            if said is not None:
                yield f"{said} {SMALL}\n"
            yield QUOTING

    def _reaction(self, answer: Answer) -> Generator[str]:
        if self._model is not None:
            with closing(_spoken(self._model, prompts.react_prompt(answer.asked))) as pieces:
                said = reaction(islice(pieces, _SHORT), answer.asked, prompts.REACTING)
            if said is not None:
                yield f"{said} "
        yield NOTED

    def _stated(self, answer: Answer) -> Generator[str]:
        basis = answer.basis
        said = "; ".join(f"{believed(hit.belief)} [b{number}]" for number, hit in basis.beliefs)
        if basis.beliefs:
            yield f"{sentence(said)}." if basis.known else f"{UNSURE}{said}."
        else:
            yield QUOTING if basis.known else UNKNOWN


def _kept(pieces: Generator[str, None, Answer], words: list[str]) -> Generator[str, None, Answer]:
    """The pieces as they come, also put into `words`."""
    with closing(pieces):
        while True:
            try:
                piece = next(pieces)
            except StopIteration as end:
                return end.value
            words.append(piece)
            yield piece


def _spoken(model: BaseChatModel, prompt: list[BaseMessage]) -> Generator[str]:
    """A model's words as they come; closing it closes the model's stream."""
    stream: Iterator[BaseMessage] = model.stream(prompt)
    try:
        for chunk in stream:
            if chunk.text:
                yield chunk.text
    finally:
        close = getattr(stream, "close", None)
        if close is not None:
            close()


def _says_so(piece: Evidence, told: set[str]) -> bool:
    return piece.episode_id in told and piece.act in ("affirm", "change")


def _message(episode: Episode) -> BaseMessage:
    return AIMessage(episode.text) if episode.role == "assistant" else HumanMessage(episode.text)


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
