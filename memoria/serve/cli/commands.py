"""The commands of a talk: /help, /why, /forget, /profile, /beliefs, /graph, /quit.

What enters: a line that begins with a slash. What leaves: what it asks for, drawn; whether the talk goes on. What
would be lost for good is shown first, and goes only after a yes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from memoria_agents import Answer, Assistant
from rich.console import Console, RenderableType
from rich.text import Text

from memoria.errors import InvalidInput, UnknownBelief, UnknownProfile
from memoria.memory import Memory
from memoria.serve import graphs
from memoria.serve.cli.shared import full_id, short_ids
from memoria.serve.profiles import show_profile, show_reflection
from memoria.serve.tables import show_beliefs
from memoria.serve.tree import show_tree
from memoria.serve.view import reasons, show_receipt

HELP = (
    ("/why", "what the last answer rests on, down to the words"),
    ("/why ID", "why a belief stands, or what became of a turn"),
    ("/forget WORDS", "show what mentions the words; after a yes it is gone for good"),
    ("/profile", "what your history amounts to; made, or renewed, after a yes"),
    ("/beliefs [WORDS]", "what is believed, or only what says these words"),
    ("/graph", "what is believed, as a tree"),
    ("/quit", "leave (also Ctrl-D); Ctrl-C stops an answer"),
)
ASIDE = (
    "You can also ask about the memory itself: what do you know about Ingrid?",
    "what did you believe in March? what changed? when did I last mention …?",
)


class Commands:
    """What the commands do over one person's memory. `read` asks for a line of input."""

    def __init__(
        self,
        memory: Memory,
        assistant: Assistant,
        user: str,
        tenant: str,
        console: Console,
        read: Callable[[str], str | None],
    ) -> None:
        self._memory, self._assistant, self._user = memory, assistant, user
        self._whose: dict[str, Any] = {"user": user, "tenant": tenant}
        self._console, self._read = console, read

    def run(self, line: str) -> bool:
        """Do the command; False to leave. Raises what the memory's verbs raise."""
        name, _, rest = line[1:].partition(" ")
        known: dict[str, Callable[[str], None]] = {
            "help": self._help,
            "why": self._why,
            "forget": self._forget,
            "profile": self._profile,
            "beliefs": self._beliefs,
            "graph": self._graph,
        }
        if name in ("quit", "exit"):
            return False
        if name not in known:
            raise InvalidInput(f"There is no /{name}; /help lists the commands.")
        known[name](rest.strip())
        return True

    def _help(self, _: str) -> None:
        for command, does in HELP:
            self._console.print(Text.assemble((f"{command:<18}", "bold"), does))
        self._console.print(Text("\n".join(ASIDE), style="dim"))

    def _why(self, item: str) -> None:
        if item:
            self._show(Text(self._story(item)))
        elif self._assistant.last is None:
            self._show(Text("Nothing was answered yet; /why ID explains a belief or a turn."))
        else:
            for part in self._reasons(self._assistant.last):
                self._show(part)

    def _reasons(self, answer: Answer) -> list[RenderableType]:
        if answer.inspected is not None:
            listed = [Text(f"  {each}", style="dim") for each in answer.inspected.ids]
            return [Text(f"Asked of the memory itself ({answer.inspected.intent}); it rests on:"), *listed]
        parts: list[RenderableType] = []
        for number, hit in answer.basis.beliefs:
            parts.append(Text(f"[b{number}] {self._story(hit.belief.id)}"))
        for hit in answer.basis.quotes:
            where = f"{hit.episode.occurred_at:%Y-%m-%d} {hit.episode.speaker}, session {hit.episode.session}"
            parts.append(Text(f"[{hit.citation}] {where}: {hit.quote}"))
            parts.append(Text(f"    turn {hit.episode.id}; {reasons(hit.signals, 4)}", style="dim"))
        for learnt in answer.learnt:
            parts.append(Text(self._story(learnt.id)))
        if answer.known is not None and answer.context is not None:
            least = self._memory.settings.recall.known_threshold
            sure = f"that turns hold the answer: {answer.context.confidence:.0%}, which counts from {least:.0%} on"
            enough = "; here the belief says just what was asked" if answer.known > answer.context.known else ""
            parts.append(Text(sure + enough, style="dim"))
        return parts or [Text("Nothing was asked, and nothing was learnt.")]

    def _story(self, item: str) -> str:
        turns = [each.id for each in self._memory.episodes(**self._whose) if each.id.startswith(item)]
        if len(turns) == 1:
            return self._memory.explain_turn(turns[0], **self._whose).text
        try:
            return self._memory.explain(full_id(self._memory, item, **self._whose), **self._whose).text
        except UnknownBelief:
            raise UnknownBelief(f"No belief's or turn's id begins with {item!r}; /beliefs lists beliefs.") from None

    def _forget(self, words: str) -> None:
        if not words:
            raise InvalidInput("/forget needs words; it shows what mentions them before anything goes.")
        shown = self._memory.forget(**self._whose, query=words, dry_run=True)
        if not shown.episodes and not shown.beliefs_would_go:
            self._show(Text("Nothing that is remembered mentions that."))
            return
        self._show(show_receipt(shown))
        if self._agreed("Forget this for good?"):
            self._show(show_receipt(self._memory.forget(**self._whose, query=words)))
            self._assistant.reload()
        else:
            self._show(Text("Nothing was forgotten."))

    def _profile(self, _: str) -> None:
        try:
            found = self._memory.profile(**self._whose)
        except UnknownProfile:
            if not self._agreed("There is no profile yet. Make one now?"):
                return
        else:
            self._show(show_profile(found))
            if not found.stale or not self._agreed("Bring it up to date now?"):
                return
        self._show(show_reflection(self._memory.reflect(**self._whose)))
        self._show(show_profile(self._memory.profile(**self._whose)))

    def _beliefs(self, words: str) -> None:
        known = [each.id for each in self._memory.beliefs(**self._whose, retired=True)]
        found = self._memory.beliefs(**self._whose, about=words or None)
        self._show(show_beliefs(found, dict(zip(known, short_ids(known), strict=True))))

    def _graph(self, _: str) -> None:
        drawn = self._memory.graph(**self._whose)
        self._show(show_tree(graphs.named(drawn, self._user), self._user))

    def _agreed(self, question: str) -> bool:
        return (self._read(f"{question} [y/N] ") or "").strip().casefold() in ("y", "yes")

    def _show(self, what: RenderableType) -> None:
        self._console.print(what)
