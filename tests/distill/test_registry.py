"""The registry: one of a kind serves, only what is whole and wholly remembered, and nobody gets another's."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from adapting import FAILED, PASSED, add, manifest_of
from conftest import DIMENSION

from memoria import InvalidInput, Memory
from memoria.distill.records import Manifest, Source
from memoria.errors import UnknownAdapter, UnknownUser, Withheld
from memoria.records import Scope
from memoria.store import schema
from memoria.store.ledger import FILE

ANA = Scope(user="ana")


@pytest.fixture
def filled(memory: Memory) -> Memory:
    memory.remember(["I love cashews.", "I live in Porto.", "I moved to Lisbon."], user="ana")
    memory.remember(["I hate cashews."], user="bo")
    return memory


def ids(memory: Memory, words: str, user: str = "ana") -> list[str]:
    """The belief and the turn that say so."""
    said = [b.id for b in memory.beliefs(user=user, retired=True) if words in b.statement]
    return said + [e.id for e in memory.episodes(user=user) if words in e.text]


def test_a_candidate_serves_once_it_is_judged_and_promoted(filled: Memory) -> None:
    made = add(filled)
    assert (made.id, made.status, made.beliefs, made.episodes) == ("lora-1", "candidate", 3, 3)
    assert sorted(made.files) == ["adapter_config.json", "adapter_model.safetensors"]
    assert (filled.home / made.folder / "adapter_model.safetensors").read_bytes() == b"weights"
    assert filled.serving("lora", user="ana") is None
    assert filled.may_serve("lora-1", user="ana").why == "It is a candidate; no lora serves."
    with pytest.raises(Withheld, match="No gate has judged it"):
        filled.promote("lora-1", user="ana")
    filled._registry.judge(ANA, "lora-1", PASSED)
    assert filled.promote("lora-1", user="ana").status == "serving"
    assert filled.may_serve("lora-1", user="ana").may
    assert filled.serving("lora", user="ana") == filled.adapters(user="ana")[0]
    assert filled.serving("card", user="ana") is None
    assert filled.serving("lora", user="ana", base="another") is None
    assert "tiny-model and another is in use" in filled.may_serve("lora-1", user="ana", base="another").why


def test_the_rejected_is_promoted_by_force_only(filled: Memory) -> None:
    add(filled, serve=True)
    add(filled)
    assert filled._registry.judge(ANA, "lora-2", FAILED).status == "rejected"
    with pytest.raises(Withheld, match=r"lora-2 is not promoted.*pref 0\.40"):
        filled.promote("lora-2", user="ana")
    served = filled.serving("lora", user="ana")
    assert served is not None
    assert served.id == "lora-1"
    assert filled.promote("lora-2", user="ana", force=True).status == "serving"
    assert [each.status for each in filled.adapters(user="ana")] == ["retired", "serving"]
    with pytest.raises(InvalidInput, match="lora-2 is serving"):
        filled._registry.judge(ANA, "lora-2", FAILED)


def test_a_prefix_is_promoted_by_no_force(filled: Memory) -> None:
    made = add(filled, kind="prompt", figures={"recipe": {"kind": "prefix"}})
    with pytest.raises(Withheld, match="Nothing serves prefixes"):
        filled.promote(made.id, user="ana", force=True)


def test_what_joins_a_promotion_undoes_it(filled: Memory) -> None:
    add(filled)
    filled._registry.judge(ANA, "lora-1", PASSED)

    def fail(_: object) -> None:
        raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        filled._registry.promote(ANA, "lora-1", also=fail)
    assert filled.serving("lora", user="ana") is None


def test_rollback_goes_back_one_by_one_to_what_still_may_serve(filled: Memory) -> None:
    for _ in range(3):
        add(filled, serve=True)
    (filled.home / filled.adapters(user="ana")[1].folder / "adapter_model.safetensors").write_bytes(b"other")
    back = filled.rollback("lora", user="ana")
    assert back is not None
    assert back.id == "lora-1"  # the second is damaged
    assert filled.rollback("lora", user="ana") is None
    assert [each.status for each in filled.adapters(user="ana")] == ["retired"] * 3
    assert filled.rollback("lora", user="ana") is None


def test_what_was_rolled_back_serves_only_where_it_is_named(filled: Memory) -> None:
    porto = ids(filled, "Porto")
    add(filled, ids(filled, "cashews"), serve=True)
    add(filled, ids(filled, "cashews"), serve=True)
    filled.rollback("lora", user="ana")
    add(filled, [*ids(filled, "cashews"), *porto], serve=True)
    back = filled.rollback("lora", user="ana")
    assert back is not None
    assert back.id == "lora-1"  # not the second, which nobody wanted either
    add(filled, porto, serve=True)
    assert filled.forget(user="ana", ids=porto).serving == ("lora-1",)
    filled.promote("lora-2", user="ana")
    add(filled, ids(filled, "Lisbon"), serve=True)
    assert filled.forget(user="ana", ids=ids(filled, "Lisbon")).serving == ("lora-2",)


def test_rollback_goes_to_none_of_another_base(filled: Memory) -> None:
    add(filled, serve=True)
    add(filled, serve=True, base="another")
    assert filled.rollback("lora", user="ana") is None
    assert filled.serving("lora", user="ana") is None


def test_damaged_files_do_not_serve(filled: Memory) -> None:
    made = add(filled, serve=True)
    weights = filled.home / made.folder / "adapter_model.safetensors"
    weights.write_bytes(b"wEights")
    assert "adapter_model.safetensors is not what was written" in filled.may_serve("lora-1", user="ana").why
    assert filled.serving("lora", user="ana") is None
    assert [f"lora-1 in {made.folder} is damaged" in each for each in filled.verify()] == [True]
    weights.unlink()
    assert "is missing" in filled.may_serve("lora-1", user="ana").why
    weights.write_bytes(b"weights")
    assert filled.may_serve("lora-1", user="ana").may
    assert filled.verify() == []


def test_what_was_made_just_so_stays_the_one(filled: Memory) -> None:
    one = add(filled, digest="same")
    assert add(filled, digest="same") == one
    assert add(filled, digest="same", kind="card").id == "card-1"
    assert len(filled.adapters(user="ana")) == 2


def test_an_adapter_needs_files_and_sources(filled: Memory) -> None:
    with pytest.raises(InvalidInput, match="made of something"):
        add(filled, manifest=Manifest())
    with pytest.raises(InvalidInput, match="no id or hash"):
        add(filled, manifest=Manifest(sources=(Source(kind="belief", id="what", hash="00"),)))
    assert filled.adapters(user="ana") == []
    assert not (filled.home / "adapters").exists() or filled.verify() == []


def test_every_source_is_shown_as_it_stands(filled: Memory) -> None:
    add(filled, serve=True)
    shown = filled.adapter("lora-1", user="ana")
    told = {(each.kind, each.text): each.state for each in shown.origins}
    assert told == {
        ("belief", "user likes cashews"): "live",
        ("belief", "user lives in Porto"): "outdated",
        ("belief", "user lives in Lisbon"): "live",
        ("episode", "I love cashews."): "live",
        ("episode", "I live in Porto."): "live",
        ("episode", "I moved to Lisbon."): "live",
    }
    assert shown.permit.may
    filled.believe("pet", "Bolota", user="ana")  # what comes besides changes nothing
    filled.remember("I love cashews so much.", user="ana")
    assert filled.may_serve("lora-1", user="ana").may


def test_a_source_that_says_something_else_is_not_live(filled: Memory) -> None:
    turn = filled.episodes(user="ana")[0]
    add(filled, manifest=manifest_of(filled, [turn.id]), serve=True)
    with filled._ledger.write() as connection:
        connection.execute(schema.episode.update().values(text="I loathe cashews."))
    assert f"made of episode {turn.id}, forgotten or changed" in filled.may_serve("lora-1", user="ana").why
    assert filled.serving("lora", user="ana") is None


def test_forgetting_shows_at_once_in_another_process(filled: Memory, home: Path) -> None:
    add(filled, serve=True)
    script = f"""
        import sys
        from memoria import HashEmbeddings, Memory
        memory = Memory(sys.argv[1], embeddings=HashEmbeddings({DIMENSION}))
        for _ in sys.stdin:
            serving = memory.serving("lora", user="ana")
            print(memory.may_serve("lora-1", user="ana").may, serving is not None, flush=True)
    """
    command = [sys.executable, "-c", textwrap.dedent(script), str(home)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as reader:
        assert reader.stdin is not None
        assert reader.stdout is not None
        answers: list[str] = []
        for forgetting in (False, True):
            if forgetting:
                filled.forget(user="ana", ids=ids(filled, "Porto"))
            reader.stdin.write("?\n")
            reader.stdin.flush()
            answers.append(reader.stdout.readline().strip())
        reader.stdin.close()
    assert answers == ["True True", "False False"]


def test_a_child_falls_with_its_parent(filled: Memory) -> None:
    add(filled, ids(filled, "Porto"), serve=True)
    add(filled, ids(filled, "cashews"), parent="lora-1", serve=True)
    source = filled._registry.source(ANA, "lora-2")
    merged = Manifest(sources=(*manifest_of(filled, user="bo").sources, source))
    add(filled, user="bo", manifest=merged, serve=True)
    receipt = filled.forget(user="ana", ids=ids(filled, "Porto"))
    assert (receipt.quarantined, receipt.quarantined_elsewhere) == (("lora-1", "lora-2"), 1)
    assert filled.serving("lora", user="bo") is None
    assert filled.owed() == [ANA, Scope(user="bo")]


def test_no_verb_gives_anothers_adapter(filled: Memory, tmp_path: Path) -> None:
    add(filled, serve=True)
    filled.remember("I live in Faro.", user="bo", tenant="other")
    for whose in ({"user": "bo"}, {"user": "bo", "tenant": "other"}):
        assert filled.adapters(**whose) == []
        assert filled.serving("lora", **whose) is None
        assert filled.rollback("lora", **whose) is None
        for verb, arguments in (
            (filled.adapter, ("lora-1",)),
            (filled.may_serve, ("lora-1",)),
            (filled.promote, ("lora-1",)),
            (filled.export_adapter, ("lora-1", tmp_path / "out")),
            (filled.compare_adapters, ("lora-1", "lora-1")),
        ):
            with pytest.raises(UnknownAdapter, match="'bo' has no adapter 'lora-1'"):
                verb(*arguments, **whose)
        with pytest.raises(UnknownUser):
            filled.adapters(user="ana", tenant="other")
    for name in ("lora-2", "lora-0", "lora-", "../1", ""):
        with pytest.raises(UnknownAdapter):
            filled.adapter(name, user="ana")
    assert filled.may_serve("lora-1", user="ana").may


def test_of_anothers_memories_no_word_is_shown(filled: Memory) -> None:
    shared = Manifest(sources=(*manifest_of(filled).sources, *manifest_of(filled, user="bo").sources))
    add(filled, manifest=shared, serve=True)
    shown = filled.adapter("lora-1", user="ana")
    assert [(each.text, each.state) for each in shown.origins if not each.own] == [("", "live")] * 2
    filled.forget(user="bo", everything=True)
    assert filled.serving("lora", user="ana") is None
    assert [each.status for each in filled.adapters(user="ana")] == ["quarantined"]


def test_two_are_compared_by_figures_and_sources(filled: Memory) -> None:
    add(filled, ids(filled, "Porto"), figures={"seconds": 2, "trained": {"steps": 3, "losses": [1, 2]}})
    add(filled, figures={"seconds": 5})
    filled._registry.judge(ANA, "lora-2", PASSED)
    found = filled.compare_adapters("lora-1", "lora-2", user="ana")
    assert found.figures == {"pref": (None, 0.8), "seconds": (2, 5), "trained.steps": (3, None)}
    assert (len(found.only_one), len(found.only_other)) == (0, 4)


def test_no_word_is_in_the_rows(filled: Memory, home: Path) -> None:
    add(filled, words="user loves cashews", kind="card", serve=True)
    with sqlite3.connect(home / FILE) as raw:
        rows = [repr(row) for table in ("adapter", "adapter_source") for row in raw.execute(f"SELECT * FROM {table}")]
    raw.close()
    assert not any(word in row for row in rows for word in ("cashews", "Porto", "ana"))
