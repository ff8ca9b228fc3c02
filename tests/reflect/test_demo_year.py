"""Reflection on the year of Ana: what the profile says is borne out by what it cites, and follows when that changes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from memoria import HashEmbeddings, Memory, Profile, ProfileLine
from memoria.remember.sources import read_source

ROOT = Path(__file__).parents[2]
WORD = re.compile(r"\w+")


@pytest.fixture
def year(tmp_path: Path) -> Iterator[Memory]:
    with Memory(tmp_path / "year", embeddings=HashEmbeddings(64)) as memory:
        sessions: dict[str | None, list] = {}
        for turn in read_source(ROOT / "examples" / "data" / "ana.jsonl"):
            sessions.setdefault(turn.session, []).append(turn)
        for turns in sessions.values():
            memory.remember(turns, user="ana")
        yield memory


def everything(profile: Profile) -> list[ProfileLine]:
    return [*profile.lines, *profile.left_out]


def test_every_line_is_borne_out_by_what_it_cites(year: Memory) -> None:
    reflection = year.reflect(user="ana")
    profile = year.profile(user="ana")
    assert reflection.changed
    assert not reflection.rejected
    said = {each.id: each for each in year.episodes(user="ana")}
    held = {each.id: each for each in year.beliefs(user="ana")}
    lines = everything(profile)
    assert {line.kind for line in lines} == {"belief", "insight", "style", "concern", "question"}
    for line in lines:
        assert line.belief_ids or line.episode_ids
        assert all(said[each].role == "user" for each in line.episode_ids)
        for each in line.belief_ids:
            quotes = {e.episode_id: e.quote for e in year.explain(each, user="ana").evidence}
            assert all(quotes[turn] in said[turn].text for turn in line.episode_ids if turn in quotes)
            assert held[each].statement in line.text
        if line.kind == "belief":
            bearing = {e.episode_id for each in line.belief_ids for e in year.explain(each, user="ana").evidence}
            assert set(line.episode_ids) <= bearing
        if line.kind == "insight":
            (named,) = re.findall(r"often speaks of (.+?): (\d+) turns in (\d+) sessions", line.text)
            spoken = [said[each] for each in line.episode_ids]
            assert all(named[0].split()[-1].casefold() in each.text.casefold() for each in spoken)
            assert (len(spoken), len({each.session for each in spoken})) == (int(named[1]), int(named[2]))
        if line.kind == "concern":
            quote = line.text.split("“")[1].split("”")[0]
            assert all(quote in said[each].text for each in line.episode_ids)
    assert any("“Exactly”" in line.text for line in lines if line.kind == "style")


def test_the_profile_keeps_to_its_bound_and_loses_nothing_by_it(year: Memory) -> None:
    year.reflect(user="ana")
    profile = year.profile(user="ana")
    assert 0 < profile.tokens <= year.settings.reflect.profile_tokens
    assert profile.left_out
    assert {each.name for each in profile.sections} >= {
        "identity",
        "people",
        "work",
        "places",
        "routines",
        "preferences",
    }
    for section in profile.sections:
        shown = min(line.strength for line in section.lines)
        assert all(line.strength <= shown for line in profile.left_out if line.section == section.name)


def test_an_unchanged_history_costs_nothing(year: Memory) -> None:
    first = year.reflect(user="ana")
    before = (year.home / "ledger.db").read_bytes(), (year.home / "ledger.db-wal").read_bytes()
    again = year.reflect(user="ana")
    assert (again.changed, again.version) == (False, first.version)
    assert ((year.home / "ledger.db").read_bytes(), (year.home / "ledger.db-wal").read_bytes()) == before
    assert [each.version for each in year.profiles(user="ana")] == [1]
    assert not year.profile(user="ana").stale


def test_a_correction_changes_exactly_the_lines_that_cite_it(year: Memory) -> None:
    year.reflect(user="ana")
    before = everything(year.profile(user="ana"))
    (allergy,) = [each for each in year.beliefs(user="ana") if each.statement == "user is allergic to cashews"]
    new = year.correct(allergy.id, "peanuts", user="ana")
    assert year.profile(user="ana").stale
    reflection = year.reflect(user="ana")
    after = everything(year.profile(user="ana"))
    had, has = {line.says for line in before}, {line.says for line in after}
    cite = {line.says for line in before if allergy.id in line.belief_ids}
    assert had - has == cite
    assert cite
    assert has - had == {("identity", "belief", "user is allergic to peanuts")}
    assert [line.belief_ids for line in after if line.says not in had] == [(new.id,)]
    diff = year.compare_profiles(1, reflection.version, user="ana")
    assert [line.text for line in diff.removed] == ["user is allergic to cashews"]


def test_a_correction_that_others_lean_on_changes_them_too(year: Memory) -> None:
    year.reflect(user="ana")
    before = {line.says: line for line in everything(year.profile(user="ana"))}
    (home,) = [each for each in year.beliefs(user="ana") if each.statement == "user lives in Porto"]
    new = year.correct(home.id, "Lisbon", user="ana")
    year.reflect(user="ana")
    after = {line.says: line for line in everything(year.profile(user="ana"))}
    leaning = {*year.explain(home.id, user="ana").leaned_on_by, *year.explain(new.id, user="ana").leaned_on_by}
    for says in before.keys() ^ after.keys():
        line = before.get(says) or after[says]
        assert {home.id, new.id} & set(line.belief_ids) or leaning & set(line.belief_ids), line.text


def test_forgetting_a_session_takes_its_lines_from_every_version(year: Memory) -> None:
    year.reflect(user="ana")
    year.believe("favourite colour", "green", user="ana")
    year.reflect(user="ana")
    session = "2025-03-02-cashews"
    session = next(each.session for each in year.episodes(user="ana") if "cashew" in each.text)
    gone = {each.id for each in year.episodes(user="ana", session=session)}
    cited = [line for line in everything(year.profile(user="ana")) if gone & set(line.episode_ids)]
    assert cited
    receipt = year.forget(user="ana", session=session)
    assert receipt.complete
    assert not receipt.residue
    for version in (1, 2):
        left = everything(year.profile(user="ana", version=version))
        assert not [line for line in left if gone & set(line.episode_ids)]
        assert not {line.says for line in cited} & {line.says for line in left}
    assert year.verify_forgotten(["allergic to cashews"], user="ana", vectors=False) == []
    year.reflect(user="ana")
    said = {each.id for each in year.episodes(user="ana")}
    assert all(set(line.episode_ids) <= said for line in everything(year.profile(user="ana")))
    year.forget(user="ana", everything=True)
    assert year.users() == []
