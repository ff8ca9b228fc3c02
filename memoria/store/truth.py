"""Truth maintenance: which beliefs hold, derived from the evidence that is left.

What enters: the pieces of evidence of one slot (a subject's one question, as "where does Ana live"). What leaves: for
each belief of the slot the periods in which it was true and what ended each. It is a pure function of the pieces, so
taking evidence away gives exactly the state of never having had it, and leaving out what was recorded later gives what
was believed then. After de Kleer's assumption-based truth maintenance (1986) and Snodgrass' bi-temporal tables (1999).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

Act = Literal["affirm", "change", "end", "deny", "doubt"]
ACTS: tuple[Act, ...] = ("affirm", "change", "end", "deny", "doubt")


@dataclass(frozen=True)
class Piece:
    """One piece of evidence. Times are microseconds since 1970 UTC.

    Pieces stand in the `order` of their turns, edits by hand among them, and within a turn (`episode`) in that of their
    `place`: it does not matter when a turn was read, or was judged anew. `number` tells them apart.

    `act`: "affirm" (it is so), "change" (it became so: what it depends on may hold no more), "end" (it is so no
    longer), "deny" (it never was), "doubt" (it may be so no more: it wants confirming). `belief` is the row it speaks
    of; `anything` marks the slot as a whole ("I quit my job"). `start` and `end` are the valid time said; `said` is
    when it was said.
    """

    number: int
    belief: int
    act: Act
    start: int | None
    end: int | None
    said: int
    recorded: int
    retracted: int | None = None
    anything: bool = False
    episode: int | None = None
    place: int = 0

    @property
    def order(self) -> tuple[int, int, int]:
        """Where the piece stands among all of a person's."""
        return (self.number if self.episode is None else self.episode, self.place, self.number)


@dataclass(frozen=True)
class Period:
    """A half-open time [start, end) in which a belief was true; None is unbounded. What ended it, and when we knew."""

    start: int | None
    end: int | None
    superseded_by: int | None = None
    ended_by: int | None = None  # the piece of evidence
    retired: int | None = None

    def covers(self, moment: int) -> bool:
        """Whether `moment` lies within."""
        return (self.start is None or self.start <= moment) and (self.end is None or moment < self.end)


@dataclass
class Standing:
    """How one belief stands: its periods in order (the last one open while it holds) and its live evidence."""

    periods: list[Period] = field(default_factory=list[Period])
    pieces: list[Piece] = field(default_factory=list[Piece])
    denied: bool = False

    @property
    def doubted(self) -> bool:
        """Whether something cast doubt on it since it was last affirmed."""
        affirmed = max((p.said for p in self.pieces if p.act in ("affirm", "change")), default=0)
        return self.doubted_after(affirmed)

    def doubted_after(self, moment: int) -> bool:
        """Whether something cast doubt on it after `moment`."""
        return any(piece.act == "doubt" and piece.said > moment for piece in self.pieces)

    @property
    def holds(self) -> bool:
        """Whether it is true now, as far as is known."""
        return bool(self.periods) and self.periods[-1].end is None

    def covers(self, moment: int) -> bool:
        """Whether it was true at `moment`."""
        return any(period.covers(moment) for period in self.periods)


@dataclass(frozen=True)
class SlotState:
    """The standings of a slot by belief, and the moments (rising) at which what it says is known to have changed."""

    standings: dict[int, Standing]
    changes: tuple[int, ...]


def live(pieces: Iterable[Piece], as_of: int | None = None) -> list[Piece]:
    """The pieces that count, in order: not retracted, and with `as_of` only what was known then."""
    if as_of is None:
        kept = [piece for piece in pieces if piece.retracted is None]
    else:
        kept = [
            replace(piece, retracted=None)
            for piece in pieces
            if piece.recorded <= as_of and (piece.retracted is None or piece.retracted > as_of)
        ]
    return sorted(kept, key=lambda piece: piece.order)


def derive(pieces: Sequence[Piece], *, single: bool) -> SlotState:
    """The state of one slot from its live pieces. With `single` a later value ends the one before it."""
    standings: dict[int, Standing] = {}
    for piece in pieces:
        if not piece.anything:
            standings.setdefault(piece.belief, Standing()).pieces.append(piece)
    kept = _undenied(pieces, standings)
    changes: list[int] = []
    if single:
        _sweep(kept, standings, changes)
    else:
        for belief in standings:
            _sweep([p for p in kept if p.anything or p.belief == belief], standings, changes)
    return SlotState(standings, tuple(sorted(set(changes))))


def _undenied(pieces: Sequence[Piece], standings: dict[int, Standing]) -> list[Piece]:
    """The pieces that no later denial strikes out."""
    struck_all, struck = (-1, 0, 0), dict[int, tuple[int, int, int]]()
    for piece in pieces:
        if piece.act == "deny" and piece.anything:
            struck_all = piece.order
        elif piece.act == "deny":
            struck[piece.belief] = piece.order
    kept: list[Piece] = []
    for piece in pieces:
        if piece.act in ("deny", "doubt"):
            continue
        if piece.act == "end" or piece.order > max(struck_all, struck.get(piece.belief, struck_all)):
            kept.append(piece)
        else:
            standings[piece.belief].denied = True
    for piece in kept:
        if piece.belief in standings and piece.act != "end":
            standings[piece.belief].denied = False
    return kept


def _moment(piece: Piece) -> int:
    """Where a piece stands in the order of valid time: what ends at its end, the rest at its start."""
    if piece.end is not None:
        return piece.end
    return piece.start if piece.start is not None and piece.act != "end" else piece.said


def _sweep(pieces: Sequence[Piece], standings: dict[int, Standing], changes: list[int]) -> None:
    """Walk the pieces of one timeline in the order of valid time, opening and closing periods."""
    open_: tuple[int, int] | None = None  # belief, start
    events = [(_moment(piece), piece.order, piece) for piece in pieces]
    # Whoever says today what is so since long ago says that it is so today: whatever was said between is over.
    events += [(p.said, p.order, p) for p in pieces if p.end is None and p.act != "end" and _moment(p) < p.said]
    for moment, _, piece in sorted(events, key=lambda event: event[:2]):
        ends = piece.act == "end" or piece.end is not None
        if ends:
            mine = open_ is not None and (piece.anything or open_[0] == piece.belief)
            if open_ is not None and mine:
                _close(standings, open_, max(moment, open_[1]), None, piece)
                open_ = None
            elif piece.act != "end":  # "I used to": a period of the past, which touches nothing that holds now
                before = standings[piece.belief].periods
                if not any(period.end is None or period.covers(moment - 1) for period in before):
                    before.append(Period(piece.start, moment, None, piece.number, piece.recorded))
            if mine or piece.act == "end":
                changes.append(moment)
            continue
        if open_ is not None and open_[0] == piece.belief:
            continue
        if open_ is not None:
            _close(standings, open_, moment, piece.belief, piece)
        if open_ is not None or (piece.act == "change" and moment == _moment(piece)):
            changes.append(moment)
        open_ = (piece.belief, moment)
    if open_ is not None:
        standings[open_[0]].periods.append(Period(open_[1], None))


def _close(
    standings: dict[int, Standing], open_: tuple[int, int], moment: int, successor: int | None, by: Piece
) -> None:
    belief, start = open_
    if moment > start or successor is None:
        standings[belief].periods.append(Period(start, moment, successor, by.number, by.recorded))
    else:  # two values for the same moment: the later recorded one is what is so
        standings[belief].periods.append(Period(start, start, successor, by.number, by.recorded))
