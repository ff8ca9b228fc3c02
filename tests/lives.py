"""Lives lived through `Memory`, step by step, and lived again.

What enters: steps (turns, edits by hand, and picks of what to correct, retract or forget). What leaves: what was done
that a replay must do, and what was believed after each step. Used by `test_truth_maintenance.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from conftest import START
from hypothesis import strategies as st

from memoria import Memory, UnknownUser
from memoria.records import Belief, Fact, Preference

# Sentences by what they are about, so that they meet. Before the bar each states one thing, behind it they end, correct
# or replace.
ABOUT = {
    "home": """I live in Paris. / I live in Lyon. / I live in LYON. / I have lived in Oslo since 2019. / I'm from Paris.
        / I moved to Madrid in March. / I used to live in Lyon. / I take the bus to work. / I visited Lyon.
        | I no longer live in Paris. / I don't live in Lyon. / Actually I live in Lyon, not Paris. / I meant Paris.
        / Actually, I live in Lyon. / I meant Lyon, not Paris. / I moved from Paris to Lyon.""",
    "work": """I work at Acme. / I work at Globex. / I am a nurse. / I take the bus to work. / I drive a Skoda.
        / I started at Acme. / I cycle to work because I work at Acme.
        | I no longer work at Acme. / I quit my job. / Sorry, I meant Globex. / I got fired. / I sold my car.
        / Actually, I work at Globex. / I left Acme. / I got rid of the Skoda.""",
    "taste": """I love coffee. / I like black coffee. / I really love black coffee. / I hate coffee. / I love tea.
        / I love green tea. / I can't stand tea. / My favourite colour is green. / My favourite colour is blue.
        / I'm allergic to coffee.
        | I gave up coffee. / I switched from coffee to tea. / I don't drink coffee any more. / I quit tea.
        / Correction: my favourite colour is blue. / I don't like coffee any more.
        / I switched from black coffee to tea.""",
    "couple": """I am single. / I am married to Anna. / I am dating Bea. / My sister's name is Anna.
        / My sister lives in Rome. / I'm engaged to Anna. / Anna lives in Lyon. / My wife's name is Bea.
        | Anna and I broke up. / I broke up with Anna. / I got divorced. / Actually, my wife's name is Anna.
        / My sister no longer lives in Rome. / Anna passed away.""",
    "tools": """I use Notion. / I use Obsidian. / I'm vegan. / I'm learning Spanish. / I play the piano.
        / I take lisinopril. / My phone is a Fairphone. / I'm vegetarian. / I have a salsa class on Mondays.
        | I deleted Notion. / I switched from Notion to Obsidian. / I stopped learning Spanish.
        / I'm not vegan any more. / I gave up the piano. / I lost my phone. / I stopped taking lisinopril.
        / I no longer use Obsidian. / My salsa class is on Tuesdays now.""",
}
POOLS = {
    name: [[" ".join(each.split()) for each in part.split("/")] for part in text.split("|")]
    for name, text in ABOUT.items()
}
VALUES = {"home": ("Paris", "Lyon", "Lisbon"), "employer": ("Acme", "Initech"), "allergy": ("peanuts", "kiwi")}


@dataclass(frozen=True)
class Said:
    """Turns delivered together: text, session, and how many days before or after the start they were said."""

    turns: tuple[tuple[str, str, int], ...]


@dataclass(frozen=True)
class Edit:
    """A fact stated by hand."""

    predicate: str
    value: str
    act: str = "affirm"


@dataclass(frozen=True)
class Pick:
    """Do something to the `number`-th of what there is: correct, retract, or forget a belief, a turn or a session."""

    verb: str
    number: int


@dataclass(frozen=True)
class Retracted:
    """A belief taken back, named by what it says."""

    belief: tuple[str, ...]


@dataclass
class Lived:
    """One life in one home: what was done when, and what was answered after it."""

    memory: Memory
    clock: list[datetime]
    user: str
    done: list[tuple[datetime, object]] = field(default_factory=list)
    told: dict[datetime, list[Fact | Preference]] = field(default_factory=dict)
    erased: bool = False


def turns(about: str) -> st.SearchStrategy[tuple[str, str, int]]:
    stated, turned = POOLS[about]
    day = st.integers(-40, 3) | st.integers(0, 1)
    return st.tuples(st.sampled_from(stated) | st.sampled_from(turned), st.sampled_from(["s0", "s1", "s2"]), day)


def said(about: str) -> st.SearchStrategy[Said]:
    return st.lists(turns(about), min_size=1, max_size=3).map(lambda each: Said(tuple(each)))


def lives(others: st.SearchStrategy[object], most: int = 9) -> st.SearchStrategy[list[object]]:
    """Steps about one matter, of saying and of `others`."""
    return st.sampled_from(sorted(POOLS)).flatmap(
        lambda about: st.lists(said(about) | said(about) | others, min_size=2, max_size=most)
    )


ACTS = ["affirm", "affirm", "change", "end", "deny"]
edits = st.sampled_from(sorted(VALUES)).flatmap(
    lambda name: st.builds(Edit, st.just(name), st.sampled_from(VALUES[name]), st.sampled_from(ACTS))
)
picks = st.builds(Pick, st.sampled_from(["correct", "retract", "turn", "session", "belief"]), st.integers(0, 50))
keeping = st.builds(Pick, st.sampled_from(["correct", "retract"]), st.integers(0, 50))


def name_of(belief: Belief) -> tuple[str, ...]:
    """What a belief says, whatever home it is in."""
    what = belief.object if isinstance(belief, Fact) else f"{belief.topic} {belief.polarity}"
    return belief.subject, getattr(belief, "predicate", "taste"), what.casefold(), belief.statement.casefold()


def now_believed(life: Lived, moment: datetime | None = None) -> list[Fact | Preference]:
    try:
        return life.memory.beliefs(user=life.user, retired=True, as_of=moment, at=moment)
    except UnknownUser:
        return []


def state(beliefs: list[Fact | Preference]) -> list[tuple[object, ...]]:
    """All that can be told of what is borne out by something, but for ids and when it was learnt."""
    names = {belief.id: belief.statement for belief in beliefs}
    return sorted(
        (
            (
                *name_of(b)[:2],
                b.statement,
                b.status,
                b.periods,
                b.valid_from,
                b.valid_to,
                b.needs_confirmation,
                b.evidence,
                names.get(b.superseded_by or ""),
                getattr(b, "strength", None),
            )
            for b in beliefs
            if b.evidence
        ),
        key=repr,
    )


def do(life: Lived, step: object, moment: datetime) -> None:
    """Live one step at `moment`, and note what of it a replay must do and what is believed after it."""
    life.clock[0] = moment
    memory, user = life.memory, life.user
    if isinstance(step, Said):
        given_ = [{"text": t, "session": s, "time": START + timedelta(days=d)} for t, s, d in step.turns]
        memory.remember(given_, user=user)
    elif isinstance(step, Edit):
        memory.believe(step.predicate, step.value, user=user, act=step.act)  # pyright: ignore
    elif isinstance(step, Retracted):
        for belief in now_believed(life):
            if name_of(belief) == step.belief:
                memory.retract(belief.id, user=user)
    if isinstance(step, Pick):
        pick(life, step, moment)
    else:
        life.done.append((moment, step))
    life.told[moment] = now_believed(life)


def pick(life: Lived, step: Pick, moment: datetime) -> None:
    if step.verb in ("turn", "session"):
        left = [(i, j) for i, (_, s) in enumerate(life.done) if isinstance(s, Said) for j in range(len(s.turns))]
        if left:
            forget(life, step.verb, *left[step.number % len(left)])
        return
    found = [b for b in now_believed(life) if b.evidence and (step.verb != "correct" or correctable(b))]
    if not found:
        return
    belief = found[step.number % len(found)]
    if step.verb == "retract":
        life.memory.retract(belief.id, user=life.user)
        life.done.append((moment, Retracted(name_of(belief))))
    elif step.verb == "correct":
        assert isinstance(belief, Fact)
        value = VALUES[belief.predicate][step.number % len(VALUES[belief.predicate])]
        life.memory.correct(belief.id, value, user=life.user)
        life.done.append((moment, Edit(belief.predicate, belief.object, "deny")))
        life.done.append((moment, Edit(belief.predicate, value)))
    else:
        forget_belief(life, belief)


def correctable(belief: Belief) -> bool:
    return isinstance(belief, Fact) and belief.subject == "user" and belief.predicate in VALUES


def forget(life: Lived, verb: str, place: int, turn: int) -> None:
    _, step = life.done[place]
    assert isinstance(step, Said)
    text, session, day = step.turns[turn]
    if verb == "session":
        life.memory.forget(user=life.user, session=session)
        gone = [t for _, s in life.done if isinstance(s, Said) for t in s.turns if t[1] == session]
    else:
        hits = life.memory.forget(user=life.user, session=session, dry_run=True).would_go
        when = START + timedelta(days=day)
        ids = [e.id for e in hits if e.text == text and e.occurred_at == when]
        life.memory.forget(user=life.user, ids=ids)
        gone = [step.turns[turn]]
    drop(life, gone)


def forget_belief(life: Lived, belief: Belief) -> None:
    would = life.memory.forget(user=life.user, ids=[belief.id], dry_run=True).would_go
    life.memory.forget(user=life.user, ids=[belief.id])
    drop(life, [(e.text, e.session, (e.occurred_at - START).days) for e in would])
    if isinstance(belief, Fact):
        mine = (belief.predicate, belief.object.casefold())
        life.done = [
            (m, s) for m, s in life.done if not (isinstance(s, Edit) and (s.predicate, s.value.casefold()) == mine)
        ]


def drop(life: Lived, gone: list[tuple[str, str, int]]) -> None:
    left = [(m, Said(tuple(t for t in s.turns if t not in gone)) if isinstance(s, Said) else s) for m, s in life.done]
    life.done = [(m, s) for m, s in left if not isinstance(s, Said) or s.turns]
    life.erased = True


def lived(life: Lived, steps: list[object]) -> Lived:
    for number, step in enumerate(steps):
        do(life, step, START + timedelta(hours=number))
    return life


def replayed(life: Lived, done: list[tuple[datetime, object]]) -> Lived:
    for moment, step in done:
        do(life, step, moment)
    return life


def check_past(one: Lived, other: Lived, moments: list[datetime]) -> None:
    for moment in moments:
        assert state(now_believed(one, moment)) == state(now_believed(other, moment)), moment
