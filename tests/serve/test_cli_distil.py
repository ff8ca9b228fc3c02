"""`memoria distil`, for one and for many, without a language model."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from distilled import LIKES

from memoria import Memory, Settings, Turn
from memoria.schedule.config import load_jobs

Cli = Callable[..., tuple[int, str, str]]
CONFIG = "embeddings: hash-64\ndistil: {kinds: [head, card], card_by: head, gate: {pairs: 10}}\n"


@pytest.fixture
def people(cli: Cli, tmp_path: Path) -> Cli:
    """`cli` over a home with two people who like the same, and one who says nothing of it."""
    (tmp_path / "configs" / "memoria.yaml").write_text(CONFIG)
    (tmp_path / "likes.jsonl").write_text("\n".join(json.dumps({"text": each, "session": "s"}) for each in LIKES))
    (tmp_path / "lives.jsonl").write_text(json.dumps({"text": "I live in Porto.", "session": "s"}))
    for user, told in (("ana", "likes"), ("bo", "likes"), ("cy", "lives")):
        assert cli("remember", tmp_path / f"{told}.jsonl", "--user", user)[0] == 0
    return cli


def serving(cli: Cli, user: str) -> list[str]:
    found = json.loads(cli("adapters", "list", "--user", user, "--json")[1])
    return [each["id"] for each in found if each["status"] == "serving"]


def test_one_person_is_distilled_by_kind(people: Cli) -> None:
    code, shown, _ = people("distil", "--user", "ana", "--kind", "head")
    assert code == 0
    assert "head-1 serves from now on" in shown
    assert "held-out pairs 20 >= 10" in " ".join(shown.split())
    code, shown, _ = people("distil", "--user", "ana", "--json")
    made = {each["kind"]: each for each in json.loads(shown)["made"]}
    assert made["head"]["outcome"] == "nothing"
    assert made["head"]["why"] == "nothing changed since head-1, which is serving"
    assert (code, made["card"]["outcome"]) == (1, "rejected")
    assert serving(people, "ana") == ["head-1"]


def test_a_dry_run_shows_what_would_be_learnt_from_and_makes_nothing(people: Cli) -> None:
    code, shown, _ = people("distil", "--user", "ana", "--dry-run")
    assert code == 0
    assert "jazz" in shown
    assert "10 beliefs and turns are named as what it is made of." in shown
    data = json.loads(people("distil", "--user", "ana", "--dry-run", "--json")[1])
    assert len(data["pairs"]) == data["manifest"]["counts"]["pairs"]
    assert json.loads(people("adapters", "list", "--user", "ana", "--json")[1]) == []


def test_words_in_brackets_are_shown_as_they_are(people: Cli, home: Path) -> None:
    with Memory(home, embeddings="hash-64") as memory:
        turns = [Turn(text="Which tag [/b]?"), Turn(text="The [red] one.", role="assistant")]
        answer = memory.remember(turns, user="dee")[-1]
        memory.feedback(answer.id, user="dee", correction="[/i], of course.")
    code, shown, _ = people("distil", "--user", "dee", "--dry-run")
    assert code == 0
    assert all(each in shown for each in ("Which tag [/b]?", "The [red] one.", "[/i], of course."))


def test_a_picture_that_cannot_be_drawn_hides_nothing(people: Cli, tmp_path: Path) -> None:
    code, _, error = people("distil", "--user", "ana", "--picture", tmp_path / "none" / "loss.png")
    assert (code, "no file in a folder that is there" in error) == (2, True)
    code, _, error = people("distil", "--user", "ana", "--kind", "head", "--picture", tmp_path / "loss.png")
    assert (code, "draws the training of an adapter" in error) == (2, True)
    assert serving(people, "ana") == []  # nothing was made yet
    code, shown, error = people("distil", "--user", "ana", "--picture", tmp_path / "loss.png")
    assert (code, "there is no loss to draw" in error) == (2, True)
    assert "head-1 serves from now on" in shown


def test_who_is_owed_a_rebuild_is_asked_for_by_tenant(people: Cli, tmp_path: Path) -> None:
    of = ("--user", "bo", "--tenant", "acme")
    people("remember", tmp_path / "likes.jsonl", *of)
    people("distil", *of, "--kind", "head")
    people("forget", *of, "--query", "jazz")
    assert people("distil", "--owed", "--tenant", "default")[1] == "Nobody is owed a rebuild.\n"
    assert "promoted head-2" in people("distil", "--owed", "--json")[1]


def test_many_are_distilled_each_once(people: Cli) -> None:
    code, shown, _ = people("distil", "--all", "--kind", "head", "--json")
    assert code == 0
    said = {each["user"]: each["outcome"] for each in json.loads(shown)}
    assert said["ana"] == said["bo"] == "promoted head-1"
    assert said["cy"].startswith("too little changed")
    code, shown, _ = people("distil", "--all", "--kind", "head")
    assert code == 0
    assert shown.count("too little changed") == 3
    assert "promoted head-1" in people("jobs", "history", "distil", "--user", "bo")[1]
    assert people("distil", "--owed")[1] == "Nobody is owed a rebuild.\n"


@pytest.mark.parametrize("how", [("distil", "--owed"), ("jobs", "run", "rebuild")])
def test_what_was_forgotten_is_rebuilt_for_whom_it_is_owed(people: Cli, how: tuple[str, ...]) -> None:
    people("distil", "--all", "--kind", "head")
    assert people("forget", "--user", "bo", "--query", "jazz")[0] == 0
    assert (serving(people, "ana"), serving(people, "bo")) == (["head-1"], [])
    code, shown, _ = people(*how, "--json")
    (run,) = json.loads(shown)
    assert (code, run["user"]) == (0, "bo" if how[0] == "distil" else None)
    assert "promoted" in run["outcome"]
    assert serving(people, "bo") == ["head-2"]
    assert people("distil", "--owed")[1] == "Nobody is owed a rebuild.\n"


def test_who_withholds_consent_is_told_of_and_fails_nothing(people: Cli) -> None:
    people("consent", "--user", "ana", "--withhold")
    assert people("distil", "--user", "ana")[0] == 2
    runs = {each["user"]: each for each in json.loads(people("distil", "--all", "--json")[1])}
    assert (runs["ana"]["state"], runs["bo"]["state"]) == ("done", "done")
    assert runs["ana"]["outcome"].startswith("nothing to train: ana withholds consent")


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ((), "Give one of --user NAME, --all and --owed"),
        (("--user", "ana", "--all"), "Give one of"),
        (("--all", "--dry-run"), "--dry-run and --picture go with --user"),
        (("--all", "--executor", "slurm"), "there are local and ray"),
        (("--user", "ana", "--executor", "ray"), "go with --all or --owed"),
        (("--all", "--address", "x:1"), "An address is a Ray cluster's"),
        (("--user", "ana", "--kind", "soup"), "there are head, card and adapter"),
        (("--user", "ana", "--recipe", "soup"), "There is no recipe 'soup'"),
    ],
)
def test_errors_are_one_line_with_the_next_step(people: Cli, given: tuple[str, ...], told: str) -> None:
    code, _, error = people("distil", *given)
    assert (code, told in error, error.count("\n")) == (2, True, 1), error


def test_the_packaged_jobs_rebuild_by_themselves() -> None:
    rebuild = load_jobs(Settings().folder).job("rebuild")
    assert (rebuild.enabled, rebuild.per, rebuild.schedule) == (True, "home", "every 10m")
