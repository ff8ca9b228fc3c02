"""A talk in a terminal: lines go to the assistant, its words come as they are made, `/` begins a command.

What enters: an assistant and the standard input. What leaves: words, then what they rest on. Ctrl-C stops an answer,
Ctrl-D leaves. From a pipe nothing is drawn but the answers.
"""

from __future__ import annotations

import sys
from contextlib import closing, suppress
from importlib import import_module

from memoria_agents import Answer, Assistant
from rich.console import Console
from rich.status import Status
from rich.text import Text

from memoria.errors import MemoriaError
from memoria.memory import Memory
from memoria.serve.cli.commands import Commands

PROMPT = "you> "


class Talk:
    """A person's talk with `assistant` over `memory`; `model` is the name shown."""

    def __init__(self, memory: Memory, assistant: Assistant, *, user: str, tenant: str, model: str) -> None:
        self._assistant, self._user, self._model = assistant, user, model
        self._drawn = sys.stdin.isatty()
        self._console = Console(highlight=False)
        self._commands = Commands(memory, assistant, user, tenant, self._console, self.read)

    def run(self) -> None:
        """Talk until the input ends or `/quit`."""
        if self._drawn:
            with suppress(ImportError):  # editing and earlier lines; nothing is written to disk
                import_module("readline")
            said = f"Talking as {self._user}, model {self._model}. /help lists commands, Ctrl-D leaves."
            self._console.print(Text(said, style="dim"))
        going = True
        while going:
            try:
                line = self.read(PROMPT)
                going = line is not None and self._take(line.strip())
            except KeyboardInterrupt:  # at the prompt, or in a command
                self._console.print(Text("\n(Ctrl-D leaves)", style="dim"))
            except MemoriaError as error:
                self._console.print(Text(f"memoria: {error}", style="red"))

    def read(self, prompt: str) -> str | None:
        """The next line of input; None at its end."""
        if self._drawn:
            try:
                return input(prompt)
            except EOFError:
                self._console.print()
                return None
        line = sys.stdin.readline()
        return line.rstrip("\n") if line else None

    def _take(self, line: str) -> bool:
        """Do what a line wants; False to leave."""
        if line.startswith("/"):
            return self._commands.run(line)
        if line:
            self._answer(line)
        return True

    def _answer(self, line: str) -> None:
        before, begun = self._assistant.last, False
        waiting = Status("", console=self._console, refresh_per_second=4)
        if self._drawn:
            waiting.start()
        try:
            with closing(self._assistant.stream(line)) as words:
                for piece in words:
                    waiting.stop()
                    begun = True
                    self._console.print(Text(piece), end="", soft_wrap=True)
        except KeyboardInterrupt:
            self._console.print(Text(" (stopped)", style="dim"), end="")
        finally:
            waiting.stop()
        if begun or not self._drawn:
            self._console.print()
        answer = self._assistant.last
        if answer is not None and answer is not before:
            self._rest(answer)

    def _rest(self, answer: Answer) -> None:
        for source in answer.sources():
            self._console.print(Text(f"  {source}", style="dim"))
        for note in answer.notes():
            self._console.print(Text(f"  {note}", style="green"))
