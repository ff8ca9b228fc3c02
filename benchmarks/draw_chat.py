"""The README's picture of `memoria chat`: a real session, a restart and a recall, typed into a real terminal.

What enters: the lines below, with the local model, offline. What leaves: docs/chat.svg, drawn from the terminal's
screen as it stood at the end; nothing of it is written by hand. Run: .venv/bin/python benchmarks/draw_chat.py
"""

from __future__ import annotations

import io
import os
import shutil
import sys
import tempfile
import time
from itertools import groupby
from pathlib import Path
from typing import Any

import pexpect
import pyte
from rich.console import Console
from rich.style import Style
from rich.text import Text

TARGET = Path(__file__).parents[1] / "docs" / "chat.svg"
COLUMNS, ROWS = 96, 120
SHELL, YOU, SURE = "$ ", "you> ", "[y/N] "
CHAT = "memoria chat --user ana"
# What is typed, and what is waited for before the next line.
TYPED = (
    (CHAT, YOU),
    ("I live in Porto, and my sister is Leonor.", YOU),
    ("I moved to Lisbon yesterday!", YOU),
    ("I adopted a dog! She's called Bolota, she's brown with one white ear.", YOU),
    ("My safe opens with 4711.", YOU),
    ("/quit", SHELL),
    (CHAT, YOU),
    ("Where do I live?", YOU),
    ("/why", YOU),
    ("What is my dentist called?", YOU),
    ("Who is brown with one white ear?", YOU),
    ("/forget safe", SURE),
    ("y", YOU),
    ("/profile", SURE),
    ("y", YOU),
    ("/quit", SHELL),
)
_COLOURS = {"brown": "yellow", "brightblack": "bright_black"}


class Screen(pyte.Screen):
    """A terminal's screen; what is dim, which pyte does not know, is grey."""

    def select_graphic_rendition(self, *attributes: int, **more: Any) -> None:
        super().select_graphic_rendition(*(90 if each == 2 else each for each in attributes), **more)


def play(home: Path) -> Screen:
    """The screen after everything was typed."""
    screen = Screen(COLUMNS, ROWS)
    stream = pyte.Stream(screen)
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    more = {"MEMORIA_HOME": str(home), "PATH": path, "PS1": SHELL, "TERM": "xterm", "HF_HUB_OFFLINE": "1"}
    shell = pexpect.spawn(
        shutil.which("bash") or "bash",
        ["--norc", "--noprofile"],
        env=os.environ | more,
        encoding="utf-8",
        timeout=300,
        dimensions=(ROWS, COLUMNS),
    )
    shell.sendline("bind 'set enable-bracketed-paste off'; clear")
    shell.expect_exact(SHELL)
    shell.expect_exact(SHELL)
    read = io.StringIO()
    shell.logfile_read = read
    screen.draw(SHELL)
    for line, until in TYPED:
        time.sleep(0.5)  # typed before the shell reads a line, it would be echoed twice
        shell.sendline(line)
        shell.expect_exact(until)
    shell.close()
    stream.feed(read.getvalue())
    return screen


def lines_of(screen: Screen) -> list[Text]:
    """The screen's lines as styled text, up to the last one that is not empty."""
    lines: list[Text] = []
    for row in range(ROWS):
        line = Text()
        for style, signs in groupby((screen.buffer[row][column] for column in range(COLUMNS)), key=_style):
            line.append("".join(sign.data for sign in signs), style)
        line.rstrip()
        lines.append(line)
    while lines and lines[-1].plain.strip() in ("", SHELL.strip()):
        lines.pop()
    return lines


def _style(sign: Any) -> Style:
    return Style(color=None if sign.fg == "default" else _COLOURS.get(sign.fg, sign.fg), bold=sign.bold)


def main() -> None:
    """Draw the picture."""
    with tempfile.TemporaryDirectory(prefix="memoria-chat-") as folder:
        lines = lines_of(play(Path(folder)))
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    for line in lines:
        console.print(line, no_wrap=True)
    TARGET.write_text(console.export_svg(title=CHAT), encoding="utf-8")
    print(f"{TARGET}: {len(lines)} lines of a real session")
    print("\n".join(line.plain for line in lines))


if __name__ == "__main__":
    main()
