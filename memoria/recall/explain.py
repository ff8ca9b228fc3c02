"""Why something is believed, and why something was not recalled.

What enters: a belief's id, or a question and what was missed. What leaves: an `Explanation`, or a sentence that names
the signal or rule.
"""

from __future__ import annotations

from sqlalchemy import Connection

from memoria.clock import to_micros
from memoria.errors import UnknownBelief
from memoria.extract.proposals import SELF
from memoria.recall.engine import Examined, RecallEngine
from memoria.recall.request import Request
from memoria.records import Dependency, Entity, Explanation, Scope, TurnExplanation
from memoria.remember.trust import gives_orders
from memoria.store.belief_records import belief_of, evidence_of, row_of
from memoria.store.belief_shelf import BeliefShelf, names_of
from memoria.store.episodes import read_episodes, row_ids
from memoria.store.ledger import Ledger
from memoria.store.scopes import require_scope


def explain(
    connection: Connection, shelf: BeliefShelf, belief_id: str, scope: Scope, scope_id: int, now: int
) -> Explanation:
    """The whole story of one belief. Raises `UnknownBelief`."""
    number = shelf.same[row_of(shelf, belief_id)]
    slot = shelf.slot_of(number)
    state = shelf.state(slot)
    belief = belief_of(shelf, number, scope, now)
    evidence = tuple(evidence_of(connection, shelf, number, scope, scope_id))
    supersedes = tuple(
        shelf.rows[other].key.hex()
        for other, standing in state.standings.items()
        if any(period.superseded_by == number for period in standing.periods)
    )
    leans = {lean for member in shelf.group(number) for _, lean in shelf.leans.get(member, ())}
    depends = tuple(
        Dependency(
            belief_id=belief.id, subject=subject, slot=name, causes=_holding(shelf, (shelf.canonical(subject), name))
        )
        for subject, name in sorted(leans)
    )
    leaned = tuple(
        shelf.rows[other].key.hex()
        for other in shelf.heads()
        if other != number
        and any(
            (shelf.canonical(subject), name) == slot
            for member in shelf.group(other)
            for _, (subject, name) in shelf.leans.get(member, ())
        )
    )
    story = Explanation(
        belief=belief,
        evidence=evidence,
        supersedes=supersedes,
        superseded_by=belief.superseded_by,
        leans_on=depends,
        leaned_on_by=leaned,
    )
    return story.model_copy(update={"text": _told(story, shelf)})


def explain_turn(
    connection: Connection, shelf: BeliefShelf, episode_id: str, scope: Scope, scope_id: int
) -> TurnExplanation:
    """What became of one turn, shown even where contexts withhold it. Raises `UnknownBelief`."""
    rows = row_ids(connection, scope_id, [episode_id])
    if not rows:
        raise UnknownBelief(
            f"There is no episode {episode_id!r} in this memory; find turns with: memoria recall --json"
        )
    episode = read_episodes(connection, scope, scope_id, rows)[rows[0]]
    heads = [n for n in shelf.heads() if any(_bears(shelf, member, rows[0]) for member in shelf.group(n))]
    withheld = gives_orders(episode.text, episode.trust)
    lines = [
        f"{episode.occurred_at:%Y-%m-%d} {episode.speaker} ({episode.role}, trusted as {episode.trust}, "
        f"session {episode.session}): {episode.text}"
    ]
    if withheld:
        lines.append("  withheld from every context: it gives orders and is not the person's own")
    lines += [f"  it bears on: {shelf.rows[head].content['statement']}" for head in heads]
    ids = tuple(shelf.rows[head].key.hex() for head in heads)
    return TurnExplanation(episode=episode, withheld=withheld, beliefs=ids, text="\n".join(lines))


def why_not(ledger: Ledger, engine: RecallEngine, request: Request, item_id: str) -> str:
    """What kept an episode or a belief out of the context for a question. Raises `UnknownBelief`."""
    context = engine.recall(request)
    examined = engine.examine(request)
    with ledger.read() as connection:
        state = require_scope(connection, request.scope)
        rows = row_ids(connection, state.id, [item_id])
        episodes = read_episodes(connection, request.scope, state.id, rows)
    if not rows:
        return _why_no_belief(examined, request, item_id, {hit.belief.id for hit in context.beliefs})
    if any(hit.episode.id == item_id for hit in context.hits):
        return "It is there: the context quotes it."
    for dropped in context.dropped:
        if dropped.episode_id == item_id:
            return f"It was found and left out: {dropped.reason}."
    episode = episodes[rows[0]]
    if episode.occurred_at > request.now:
        return f"It was said on {episode.occurred_at:%Y-%m-%d}, after the moment the question is asked at."
    return _why_ranked_low(examined, rows[0], request.k) + (
        " What it says would be withheld: it gives orders and is not the person's own."
        if gives_orders(episode.text, episode.trust)
        else ""
    )


def entities_of(shelf: BeliefShelf) -> list[Entity]:
    """The entities that beliefs are about, under the name they are kept under, with the others."""
    names = names_of(shelf)
    about: dict[str, int] = {}
    kinds: dict[str, str] = {SELF: "person"}
    for head in shelf.heads():
        row = shelf.rows[head]
        subject, _ = shelf.slot_of(head)
        about[subject] = about.get(subject, 0) + 1
        if row.kind != "preference" and not row.slot.startswith("likes "):  # another's taste is no entity either
            target = shelf.canonical(row.object)
            about[target] = about.get(target, 0) + 1
            kinds.setdefault(target, str(row.content.get("kind", "thing")))
    aliases: dict[str, list[str]] = {}
    for key, canonical in shelf.names.items():
        if key != canonical:
            aliases.setdefault(canonical, []).append(names.get(key, key))
    return [
        Entity(
            key=key,
            name=names.get(key, key),
            kind=kinds.get(key, "thing"),
            aliases=tuple(sorted(aliases.get(key, ()))),
            beliefs=count,
        )
        for key, count in sorted(about.items(), key=lambda pair: (-pair[1], pair[0]))
    ]


def _bears(shelf: BeliefShelf, number: int, episode: int) -> bool:
    return any(each.piece.episode == episode for each in shelf.bearings.get(number, ()))


def _holding(shelf: BeliefShelf, slot: tuple[str, str]) -> tuple[str, ...]:
    standings = shelf.state(slot).standings if slot in shelf.slots else {}
    return tuple(shelf.rows[each].key.hex() for each, standing in standings.items() if standing.holds)


def _told(story: Explanation, shelf: BeliefShelf) -> str:
    """The explanation in lines."""
    belief = story.belief
    statements = {row.key.hex(): str(row.content.get("statement", "")) for row in shelf.rows.values()}
    lines = [f"{belief.statement}: {belief.status}, learnt on {belief.recorded_at:%Y-%m-%d}."]
    for start, end in belief.periods:
        lines.append(f"  true from {start.date() if start else '?'} to {end.date() if end else 'now'}")
    acts = {
        "affirm": "says so",
        "change": "says it became so",
        "end": "ends it",
        "deny": "denies it",
        "doubt": "casts doubt on it",
    }
    for each in story.evidence:
        words = f'"{each.quote}"' if each.episode_id else "an edit by hand"
        undone = f", taken back on {each.retracted_at:%Y-%m-%d}" if each.retracted_at else ""
        lines.append(f"  {each.said_at:%Y-%m-%d} {words} {acts[each.act]} ({each.source}{undone})")
    lines += [f"  it superseded: {statements.get(each, each)}" for each in story.supersedes]
    if story.superseded_by:
        lines.append(f"  superseded by: {statements.get(story.superseded_by, story.superseded_by)}")
    lines += [f"  it depends on the {each.slot} of {each.subject}" for each in story.leans_on]
    if belief.needs_confirmation:
        lines.append("  it needs confirmation: what it depends on has changed since, or a later turn casts doubt on it")
    return "\n".join(lines)


def _why_no_belief(examined: Examined, request: Request, item_id: str, stated: set[str]) -> str:
    shelf = examined.view.shelf
    try:
        head = shelf.same[row_of(shelf, item_id)]
    except UnknownBelief:
        raise UnknownBelief(f"There is no episode or belief {item_id!r} in this memory; check the id.") from None
    belief = belief_of(shelf, head, request.scope, to_micros(request.now))
    if belief.id in stated:
        return "It is there: the context states it."
    if belief.status == "retracted":
        return "All evidence for it was taken back or denied."
    if head not in examined.asked.scores:
        return "The question neither asks for its predicate nor shares a word with it, nor names its subject."
    if belief.status != "current":
        return f"It is {belief.status}, and other beliefs filled the context."
    return f"Its score, {examined.asked.scores[head]:.2f}, is below that of the beliefs the context states."


def _why_ranked_low(examined: Examined, row: int, k: int) -> str:
    ranking, shelf = examined.ranking, examined.shelf
    places = [place for place in range(len(shelf)) if int(shelf.ids[place]) == row]
    if not places or not ranking.candidate[places[0]]:
        return "No signal found it: it shares no word with the question, and its meaning is far from it."
    place = places[0]
    rank = int((ranking.score[ranking.candidate] > ranking.score[place]).sum()) + 1
    last = ranking.best(k)[-1]
    given, best = ranking.signals(place), ranking.signals(int(last))
    lacks = sorted(set(given) | set(best), key=lambda name: given.get(name, 0.0) - best.get(name, 0.0))[:2]
    return f"It ranked {rank}, k is {k}; next to the last hit it lacks most in: {', '.join(lacks)}."
