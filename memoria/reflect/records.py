"""What reflection makes, as frozen records.

What enters: plain values. What leaves: the stages of a reflection (`Gathered`, `Draft`, `Reflection`) and the `Profile`
with its lines. All of them survive JSON, so that a graph can be stopped between any two stages.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from memoria.records import Record

SectionName = Literal[
    "identity", "people", "work", "places", "routines", "preferences", "style", "concerns", "questions"
]
LineKind = Literal["belief", "insight", "style", "concern", "question", "written"]

TITLES: dict[SectionName, str] = {
    "identity": "Identity",
    "people": "People",
    "work": "Work",
    "places": "Places",
    "routines": "Routines",
    "preferences": "Preferences",
    "style": "Style of speech",
    "concerns": "Current concerns",
    "questions": "Open questions",
}


class ProfileLine(Record):
    """One line of a profile, with what it rests on.

    `kind`: "belief" (what is believed, in its words), "insight" (what recurs), "style", "concern" (quoted), "question"
    (what wants confirming or contradicts itself), "written" (a model's words, which the evidence covers). `support`
    counts the turns that bear it out; `strength` (0 to 1) ranks it: how often and how lately it came up.
    """

    section: SectionName
    kind: LineKind
    text: str
    belief_ids: tuple[str, ...] = ()
    episode_ids: tuple[str, ...] = ()
    support: int = 1
    strength: float = 0.0
    detail: dict[str, Any] = Field(default_factory=dict)

    @property
    def says(self) -> tuple[str, str, str]:
        """What makes it the same line in two versions: its place and its words."""
        return self.section, self.kind, self.text


class ProfileSection(Record):
    """A section's lines, the strongest first."""

    name: SectionName
    lines: tuple[ProfileLine, ...]

    @property
    def title(self) -> str:
        """Its name for a reader."""
        return TITLES[self.name]


class Profile(Record):
    """What a history amounts to, in at most the settings' tokens; each line cites its evidence.

    `left_out` are lines that ranked below the bound: nothing is lost by it. `stale`: the history went on since; then
    the newest version leaves out, as `outdated`, the lines whose beliefs hold no more. `model` names who wrote it
    (None: it was built from beliefs and statistics).
    """

    tenant: str
    user: str
    version: int
    made_at: datetime
    sections: tuple[ProfileSection, ...]
    left_out: tuple[ProfileLine, ...] = ()
    outdated: tuple[ProfileLine, ...] = ()
    tokens: int = 0
    stale: bool = False
    model: str | None = None
    text: str = ""

    @property
    def lines(self) -> tuple[ProfileLine, ...]:
        """The lines of all sections."""
        return tuple(line for section in self.sections for line in section.lines)

    def render(self) -> str:
        """The text for a prompt: a heading for each section, a line each, as it counts in `tokens`."""
        return self.text


class ProfileVersion(Record):
    """That there is a version, when it was made and how many lines it still has."""

    version: int
    made_at: datetime
    lines: int
    model: str | None = None


class ProfileDiff(Record):
    """What one version says that the other does not."""

    old: int
    new: int
    added: tuple[ProfileLine, ...]
    removed: tuple[ProfileLine, ...]


class Contradiction(Record):
    """Two beliefs that hold and cannot well both be so, and why."""

    belief_ids: tuple[str, str]
    text: str


class Duplicate(Record):
    """Two names under which the same was believed, taken for one (undo it with `unmerge(name)`)."""

    name: str
    same_as: str
    score: float


class RejectedLine(Record):
    """A line that its evidence does not support, and why."""

    line: ProfileLine
    why: str


class Gathered(Record):
    """The state of a history, and whether anything happened since it was last reflected on.

    `version` is the newest profile's (0: none yet). `turns` and `beliefs` count what there is.
    """

    tenant: str
    user: str
    basis: str
    unchanged: bool
    version: int
    turns: int
    beliefs: int


class Draft(Record):
    """What consolidation found: lines that wait for `check` and `commit`. `rejected` did not pass."""

    gathered: Gathered
    lines: tuple[ProfileLine, ...] = ()
    rejected: tuple[RejectedLine, ...] = ()
    contradictions: tuple[Contradiction, ...] = ()
    duplicates: tuple[Duplicate, ...] = ()
    good_until: datetime | None = None
    model: str | None = None
    tokens_spent: int = 0
    money_spent: float = 0.0


class Reflection(Record):
    """What a reflection came to. `changed`: a new version was kept; else the profile stays as it was.

    `insights` are what recurs, with their support; `contradictions` what cannot both be so.
    """

    tenant: str
    user: str
    version: int
    changed: bool
    added: int = 0
    removed: int = 0
    insights: tuple[ProfileLine, ...] = ()
    contradictions: tuple[Contradiction, ...] = ()
    duplicates: tuple[Duplicate, ...] = ()
    rejected: tuple[RejectedLine, ...] = ()
    tokens_spent: int = 0
    money_spent: float = 0.0
