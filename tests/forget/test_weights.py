"""Forgetting reaches weights: what was made of something that goes serves no more, at once, however it ends, and no
file of it stays."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from adapting import ANA, BASE, CANARY, WORD, add, files, fill, folders, manifest_of, statuses, traces
from conftest import Clock, OpenMemory

from memoria import Memory, Settings
from memoria.clock import to_micros
from memoria.errors import Withheld
from memoria.records import Scope
from memoria.settings import RetentionSettings


@pytest.fixture
def filled(memory: Memory) -> Memory:
    fill(memory)
    return memory


def test_the_receipt_names_what_is_quarantined_and_what_serves_instead(filled: Memory) -> None:
    assert traces(filled.home)
    would = filled.forget(user="ana", query=WORD, dry_run=True)
    assert (would.quarantined, would.serving) == (("lora-2", "card-1"), ("lora-1",))
    assert statuses(filled) == {"lora-1": "retired", "lora-2": "serving", "card-1": "serving"}
    receipt = filled.forget(user="ana", query=WORD)
    assert (receipt.quarantined, receipt.serving) == (("lora-2", "card-1"), ("lora-1",))
    assert (receipt.complete, receipt.residue) == (True, ())
    assert statuses(filled) == {"lora-1": "serving", "lora-2": "quarantined", "card-1": "quarantined"}
    served = filled.serving("lora", user="ana")
    assert served is not None
    assert served.id == "lora-1"
    assert filled.serving("card", user="ana") is None
    assert "quarantined" in filled.may_serve("lora-2", user="ana").why
    with pytest.raises(Withheld, match="quarantined"):
        filled.promote("lora-2", user="ana", force=True)
    assert filled.rollback("lora", user="ana") is None
    assert (folders(filled), traces(filled.home)) == (["1"], [])
    assert filled.verify() == []
    assert filled.verify_forgotten() == []
    assert filled.verify_forgotten([WORD, CANARY], user="ana") == []


def test_the_gone_are_shown_as_gone(filled: Memory) -> None:
    filled.forget(user="ana", query=WORD)
    shown = filled.adapter("lora-2", user="ana")
    assert sorted(each.text for each in shown.origins if each.state == "gone") == [""] * 2
    assert not any(WORD in each.text for each in shown.origins)


def test_a_rebuild_is_owed_until_one_is_made_that_was_begun_since(filled: Memory, clock: Clock) -> None:
    assert filled.owed() == []
    begun = to_micros(clock())
    filled.forget(user="ana", query=WORD)
    filled._registry.rebuilt(ANA, begun)
    assert filled.owed() == [ANA]
    filled._registry.rebuilt(ANA, to_micros(clock()))
    assert filled.owed() == []


def test_what_was_made_of_other_memories_goes_on(filled: Memory) -> None:
    filled.remember("I play chess.", user="ana")
    receipt = filled.forget(user="ana", query="chess")
    assert (receipt.episodes, receipt.quarantined) == (1, ())
    assert statuses(filled)["lora-2"] == "serving"
    assert filled.owed() == []


def test_a_belief_that_loses_its_words_takes_its_adapters_with_it(memory: Memory) -> None:
    first = memory.remember("I live in PORTO.", user="ana", session="one")[0]
    memory.remember("I live in Porto.", user="ana", session="two")
    (before,) = memory.beliefs(user="ana")
    add(memory, [before.id], serve=True)
    memory.remember("I love tea.", user="ana", session="three")
    assert memory.forget(user="ana", query="tea").quarantined == ()
    assert memory.forget(user="ana", ids=[first.id]).quarantined == ("lora-1",)
    (after,) = memory.beliefs(user="ana")
    assert (after.id, after.statement) == (before.id, "user lives in Porto")


def test_a_belief_that_others_words_bear_out_goes_on_serving(memory: Memory) -> None:
    first = memory.remember("I live in Porto.", user="ana", session="one")[0]
    memory.remember("I live in Porto.", user="ana", session="two")
    add(memory, [memory.beliefs(user="ana")[0].id], serve=True)
    assert memory.forget(user="ana", ids=[first.id]).quarantined == ()
    assert memory.may_serve("lora-1", user="ana").may


def test_everything_takes_every_row_and_file(filled: Memory) -> None:
    filled.remember("I live in Faro.", user="bo")
    shared = manifest_of(filled, user="bo")
    shared = shared.model_copy(update={"sources": (*shared.sources, *manifest_of(filled).sources)})
    add(filled, user="bo", manifest=shared, serve=True)
    receipt = filled.forget(user="ana", everything=True)
    assert receipt.quarantined == ("lora-1", "lora-2", "card-1")
    assert (receipt.quarantined_elsewhere, receipt.serving, receipt.complete) == (1, (), True)
    assert (folders(filled), traces(filled.home)) == ([], [])
    assert filled.serving("lora", user="bo") is None
    assert filled.owed() == [Scope(user="bo")]
    assert filled.verify_forgotten() == []
    filled.remember("I love cashews.", user="ana")
    assert filled.adapters(user="ana") == []


def test_retention_reaches_weights(open_memory: OpenMemory, clock: Clock) -> None:
    rules = RetentionSettings(user_days=30, retired_days=10)
    memory = open_memory(settings=Settings(retention=rules))
    memory.remember(["I live in Porto.", "I moved to Lisbon."], user="ana")
    gone = next(b.id for b in memory.beliefs(user="ana", retired=True) if "Porto" in b.statement)
    add(memory, [gone], kind="card", serve=True)
    add(memory, serve=True)
    clock.now += timedelta(days=20)
    assert [each.quarantined for each in memory.retain(user="ana")] == [("card-1", "lora-1")]
    add(memory, serve=True)
    clock.now += timedelta(days=20)
    assert [each.quarantined for each in memory.retain(user="ana")] == [("lora-2",)]
    assert folders(memory) == []


def test_consent_withdrawn_takes_all_of_it_and_of_theirs_elsewhere(filled: Memory) -> None:
    filled.remember("I live in Faro.", user="bo")
    add(filled, user="bo", manifest=manifest_of(filled), serve=True)
    filled.consent(False, user="ana")
    assert set(statuses(filled).values()) == {"quarantined"}
    assert filled.serving("lora", user="bo") is None
    assert (folders(filled), filled.owed()) == ([], [Scope(user="bo")])
    with pytest.raises(Withheld, match="may not be distilled"):
        add(filled)


def test_what_is_made_of_something_that_is_forgotten_meanwhile_is_not_kept(filled: Memory, tmp_path: Path) -> None:
    manifest = manifest_of(filled)
    trained = files(tmp_path / "trained", words=CANARY)
    with filled._registry.making(manifest) as making:
        files(making.folder, words=CANARY)
        assert making.wanted()
        receipt = filled.forget(user="ana", query=WORD)
        assert not receipt.complete  # its bytes are in the trainer's place as long as it works
        assert not making.wanted()
        with pytest.raises(Withheld, match="forgotten"):
            filled._registry.add(
                ANA, making.folder, kind="card", base=BASE, recipe="sft", manifest=manifest, digest="x"
            )
        assert not making.folder.exists()
    with pytest.raises(Withheld, match="forgotten"), filled._registry.making(manifest):
        pass
    with pytest.raises(Withheld, match="forgotten"):
        filled._registry.add(ANA, trained, kind="card", base=BASE, recipe="sft", manifest=manifest, digest="x")
    assert not trained.exists()
    assert any("not finished" in each for each in filled.verify_forgotten())
    filled._eraser.finish(0)  # as the next opening does
    assert filled.verify_forgotten() == []
    assert traces(filled.home) == []


def test_a_trainer_of_other_things_holds_no_erasure_up(filled: Memory) -> None:
    others = manifest_of(filled, [e.id for e in filled.episodes(user="ana") if "cashews" in e.text])
    with filled._registry.making(others):
        assert filled.forget(user="ana", query=WORD).complete


def test_a_serving_adapter_of_something_erased_breaks_the_receipt(filled: Memory) -> None:
    filled.forget(user="ana", query=WORD)
    with filled._ledger.write() as connection:  # as nobody but an error of ours would
        connection.exec_driver_sql("UPDATE adapter SET status = 'retired' WHERE id = 2")
    assert [("lora-2 in adapters/2" in each) for each in filled.verify_forgotten()] == [True]


def test_what_was_made_of_a_correction_that_was_replaced_serves_no_more(memory: Memory) -> None:
    turns = [{"role": "user", "text": "Where shall I sit?"}, {"role": "assistant", "text": "On the aisle."}]
    answer = memory.remember(turns, user="ana")[1]
    memory.feedback(answer.id, user="ana", correction="By the window, Tekla.")
    add(memory, serve=True)
    memory.feedback(answer.id, user="ana", correction="By the window, Tekla.")  # the same again changes nothing
    assert memory.serving("lora", user="ana") is not None
    memory.feedback(answer.id, user="ana", correction="In the middle.")
    assert memory.serving("lora", user="ana") is None
    assert statuses(memory) == {"lora-1": "quarantined"}
    assert memory.owed() == [ANA]
    assert folders(memory) == []
