"""The evolving-memory suite: the packaged dialogues keep their promises, and a dialogue of our own is scored as worked
out by hand. Failures name dialogues by id only, so that nothing of the `test` half is shown."""

from __future__ import annotations

import json
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from memoria import HashEmbeddings, InvalidInput, Settings
from memoria.evaluate.beliefs import BeliefReport, Passed, evaluate_beliefs
from memoria.evaluate.dialogues import SPLITS, STYLES, TASKS, Dialogue, read_dialogues
from memoria.models.embeddings import Embedder
from memoria.settings import ExtractSettings, StoreSettings

HALVES = [(style, split) for style in STYLES for split in SPLITS]


@cache
def dialogues(style: str, split: str) -> tuple[Dialogue, ...]:
    return tuple(read_dialogues(split, style=style))


def everything() -> list[Dialogue]:
    return [each for half in HALVES for each in dialogues(*half)]


def said_by(dialogue: Dialogue, phrasing: int, session: int, turn: int) -> str:
    """What the person says there; nothing where it is not their turn."""
    turns = dialogue.turns(session, phrasing)
    return turns[turn].text if turn < len(turns) and turns[turn].role == "user" else ""


def own_words(dialogue: Dialogue, phrasing: int) -> str:
    """All that the person says, told the `phrasing`-th way."""
    sessions = enumerate(dialogue.sessions)
    return " ".join(
        said_by(dialogue, phrasing, n, i) for n, each in sessions for i in range(len(each.turns))
    ).casefold()


def test_there_are_enough_of_every_task() -> None:
    assert len(everything()) >= 120
    assert len(dialogues("plain", "test")) >= 70
    for half in HALVES:
        counts = Counter(each.task for each in dialogues(*half))
        assert set(counts) == set(TASKS)
        for task in TASKS:
            assert {each.task for each in read_dialogues(half[1], task, half[0])} == {task}


def test_ids_are_unique() -> None:
    counts = Counter(each.id for each in everything())
    assert [name for name, count in counts.items() if count > 1] == []


def test_plain_dialogues_are_told_in_several_ways_over_sessions() -> None:
    assert [each.id for split in SPLITS for each in dialogues("plain", split) if each.phrasings < 2] == []
    assert sum(len(each.sessions) > 1 for each in everything()) >= 0.9 * len(everything())


def test_days_ascend_and_every_dialogue_asks() -> None:
    wrong = [
        each.id
        for each in everything()
        if [s.date for s in each.sessions] != sorted({s.date for s in each.sessions}) or not each.checks
    ]
    assert wrong == []


def test_what_is_wanted_is_said_in_every_phrasing() -> None:
    wrong = [
        (each.id, phrasing, number)
        for each in everything()
        for phrasing in range(each.phrasings)
        for number, check in enumerate(each.checks)
        if any(word.casefold() not in own_words(each, phrasing) for word in (*check.current, *check.confirm))
    ]
    assert wrong == []


def test_evidence_is_a_turn_of_the_persons() -> None:
    wrong = [
        (each.id, session, turn)
        for each in everything()
        for check in each.checks
        for session, turn in check.evidence
        if session >= len(each.sessions) or not said_by(each, 0, session, turn)
    ]
    assert wrong == []


def test_every_check_wants_something_and_nothing_both_ways() -> None:
    wrong = [
        (each.id, number)
        for each in everything()
        for number, check in enumerate(each.checks)
        if not (check.current or check.gone or check.confirm or check.absent)
        or {word.casefold() for word in check.current} & {word.casefold() for word in check.gone}
    ]
    assert wrong == []


def test_forgetting_comes_after_a_session_that_there_is() -> None:
    wishes = [(each, wish) for each in everything() for wish in each.forget]
    assert [
        each.id for each, wish in wishes if not 0 <= wish.after_session < len(each.sessions) or not wish.query
    ] == []


def test_the_halves_share_no_dialogue() -> None:
    told = {
        split: {
            own_words(each, phrasing): each.id
            for style in STYLES
            for each in dialogues(style, split)
            for phrasing in range(each.phrasings)
        }
        for split in SPLITS
    }
    shared = [(told["dev"][text], told["test"][text]) for text in told["dev"].keys() & told["test"].keys()]
    assert shared == []
    assert not {each.id for style in STYLES for each in dialogues(style, "dev")} & set(told["test"].values())


def small() -> Dialogue:
    """Two phrasings; what is asked: a home that changed, a pet that did not, a commute in doubt, an unknown car."""
    home = [["I live in Ghent.", "My home is in Ghent."], "I have a dog named Biscuit.", "My commute takes 40 minutes."]
    first = [["user", text] for text in home]
    then = [["user", ["I've moved to Antwerp.", "Antwerp is where I live now."]], ["assistant", "I like Antwerp."]]
    checks = [
        {"question": "Where do I live?", "current": ["Antwerp"], "gone": ["Ghent"], "evidence": [[1, 0]]},
        {"question": "What is my dog called?", "current": ["Biscuit"], "evidence": [[0, 1]]},
        {"question": "How long is my commute?", "confirm": ["40 minutes"], "evidence": [[1, 0]]},
        {"question": "Where did I live?", "current": ["Ghent"], "at": "2025-01-15", "evidence": [[0, 0]]},
        {"question": "Which car do I drive?", "absent": True},
    ]
    sessions = [{"date": "2025-01-10", "turns": first}, {"date": "2025-02-10", "turns": then}]
    return Dialogue.model_validate({"id": "small", "task": "update", "sessions": sessions, "checks": checks})


def scored(*, learns: bool) -> BeliefReport:
    settings = Settings(extract=ExtractSettings(on_write=learns, spacy=False), store=StoreSettings(index="exact"))
    embedder = Embedder(HashEmbeddings(64), "hash")
    return evaluate_beliefs([small()], "dev", embedder=embedder, settings=settings)


def test_a_small_dialogue_gives_the_rows_worked_out_by_hand() -> None:
    seen: list[int] = []
    embedder = Embedder(HashEmbeddings(64), "hash")
    settings = Settings(extract=ExtractSettings(spacy=False), store=StoreSettings(index="exact"))
    report = evaluate_beliefs(
        [small()], "dev", "plain", embedder=embedder, settings=settings, progress=lambda done: seen.append(done)
    )
    asked = [check.question for check in small().checks]
    assert [(row.dialogue, row.question) for row in report.rows] == [(f"small/{n}", q) for n in (0, 1) for q in asked]
    for row in report.rows:
        assert row.faults == ()
        assert row.systems["memoria"]
        assert row.systems["beliefs"]
        assert row.hits == (None if row.question == asked[-1] else 1.0)
    assert seen == [1]
    found = report.to_json()
    assert (found["split"], found["style"], found["dialogues"], found["failed"]) == ("dev", "plain", 2, [])
    assert list(found["tasks"]) == ["update"]
    assert found["tasks"]["update"]["checks"] == 10
    assert found["tasks"]["update"]["memoria"] == report.share("memoria", "update") == 1.0


def test_a_memory_that_learns_nothing_fails() -> None:
    report = scored(learns=False)
    by_question: dict[str, list[Passed]] = {}
    for row in report.rows:
        by_question.setdefault(row.question, []).append(row)
    for row in by_question["How long is my commute?"]:
        assert row.faults == ("does not doubt '40 minutes': []",)
    for question in ("Where do I live?", "What is my dog called?", "How long is my commute?", "Where did I live?"):
        assert [row.systems["beliefs"] for row in by_question[question]] == [False, False]
    assert [row.systems["memoria"] for row in by_question["How long is my commute?"]] == [False, False]
    assert report.share("memoria", "update") < scored(learns=True).share("memoria", "update")
    assert {each["question"] for each in report.to_json()["failed"]} >= {"How long is my commute?"}


def test_baselines_see_what_memoria_sees_and_know_no_better() -> None:
    with_beliefs, without = scored(learns=True), scored(learns=False)
    for system in ("dense", "BM25"):
        assert [row.systems[system] for row in with_beliefs.rows] == [row.systems[system] for row in without.rows]
        assert 0 < with_beliefs.share(system, "update") <= with_beliefs.share("memoria", "update")


@pytest.mark.parametrize(
    "content",
    [
        b"\xff",
        b"{",
        b"5",
        b'[{"id": "x"}]',
        json.dumps([{"id": "x", "task": "dancing", "sessions": [], "checks": []}]).encode(),
        json.dumps([{"id": "x", "task": "update", "sessions": [], "checks": [], "more": 1}]).encode(),
        json.dumps([{"id": "x", "task": "update", "sessions": [{"date": "soon", "turns": []}], "checks": []}]).encode(),
    ],
)
def test_bad_files_are_named(tmp_path: Path, content: bytes) -> None:
    folder = tmp_path / "plain" / "dev"
    folder.mkdir(parents=True)
    (folder / "update.json").write_bytes(content)
    with pytest.raises(InvalidInput, match=r"update\.json is no file of dialogues"):
        list(read_dialogues("dev", "update", folder=tmp_path))


def test_what_there_is_not_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"exact\.json is no file of dialogues"):
        list(read_dialogues("dev", folder=tmp_path))
    for wrong in ({"split": "train"}, {"split": "dev", "task": "dancing"}, {"split": "dev", "style": "rude"}):
        with pytest.raises(InvalidInput, match="There is no"):
            list(read_dialogues(**wrong))
