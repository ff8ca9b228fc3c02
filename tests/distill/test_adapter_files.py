"""The files of adapters: what is left unfinished goes, or is gone on with; a copy leaves the home, sealed or not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from adapting import BASE, FAILED, add, files, manifest_of
from conftest import OpenMemory

from memoria import InvalidInput, Memory, Settings
from memoria.distill import registry
from memoria.distill.export import export, unlock
from memoria.errors import TrainingFailed, Withheld
from memoria.records import Scope
from memoria.settings import DistilSettings

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


def test_an_adapter_goes_out_in_pefts_layout(filled: Memory, tmp_path: Path) -> None:
    add(filled, serve=True)
    target = tmp_path / "out" / "ana"
    assert filled.export_adapter("lora-1", target, user="ana").id == "lora-1"
    config = json.loads((target / "adapter_config.json").read_text())
    assert (config["peft_type"], config["base_model_name_or_path"]) == ("LORA", BASE)
    assert (target / "adapter_model.safetensors").read_bytes() == b"weights"
    told = json.loads((target / "manifest.json").read_text())
    assert {each["id"] for each in told["sources"]} == {each.id for each in manifest_of(filled).sources}
    assert not any(word in (target / "manifest.json").read_text() for word in ("cashews", "Porto", "ana"))
    with pytest.raises(InvalidInput, match="is there already"):
        filled.export_adapter("lora-1", target, user="ana")  # and it is not counted as a copy
    assert filled.adapter("lora-1", user="ana").exports == 1
    assert filled.forget(user="ana", ids=ids(filled, "Porto")).exported == 1
    with pytest.raises(Withheld, match="quarantined"):
        filled.export_adapter("lora-1", tmp_path / "more", user="ana")


def test_a_copy_is_told_of_however_its_export_ended(
    filled: Memory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(filled, serve=True)

    def killed(*args: Any) -> None:
        export(*args)
        raise KeyboardInterrupt

    monkeypatch.setattr(registry, "export", killed)
    with pytest.raises(KeyboardInterrupt):
        filled.export_adapter("lora-1", tmp_path / "out", user="ana")
    assert (tmp_path / "out" / "adapter_model.safetensors").exists()
    assert filled.forget(user="ana", ids=ids(filled, "Porto")).exported == 1


def test_an_encrypted_copy_opens_with_its_password_only(filled: Memory, tmp_path: Path) -> None:
    pytest.importorskip("cryptography")
    add(filled, words="user loves cashews", kind="card", serve=True)
    sealed = tmp_path / "card.memoria"
    filled.export_adapter("card-1", sealed, user="ana", password="grünspan")
    assert b"cashews" not in sealed.read_bytes()
    with pytest.raises(InvalidInput, match="does not open with this password"):
        unlock(sealed, tmp_path / "wrong", "grunspan")
    assert not (tmp_path / "wrong").exists()
    unlock(sealed, tmp_path / "opened", "grünspan")
    assert "cashews" in (tmp_path / "opened" / "card.json").read_text()
    assert sorted(path.name for path in (tmp_path / "opened").iterdir()) == [
        "adapter_config.json",
        "adapter_model.safetensors",
        "card.json",
        "manifest.json",
    ]
    (tmp_path / "file").write_text("")
    with pytest.raises(InvalidInput, match="cannot be written"):
        unlock(sealed, tmp_path / "file" / "opened", "grünspan")
    (tmp_path / ".again.part").write_bytes(b"of a killed export")
    unlock(sealed, tmp_path / "again", "grünspan")
    assert not (tmp_path / ".again.part").exists()
    sealed.write_bytes(sealed.read_bytes()[:-1] + b"!")
    with pytest.raises(InvalidInput, match="was changed"):
        unlock(sealed, tmp_path / "changed", "grünspan")
    with pytest.raises(InvalidInput, match="password is empty"):
        filled.export_adapter("card-1", tmp_path / "empty", user="ana", password="")


def test_opening_clears_what_a_killed_maker_left_and_nothing_that_is_in_use(
    open_memory: OpenMemory, home: Path
) -> None:
    memory = open_memory()
    memory.remember("I love cashews.", user="ana")
    made = add(memory, serve=True)
    stray = home / "adapters" / "99"
    stray.mkdir()
    (stray / "card.json").write_text("cashews")
    left = home / "adapters" / ".making" / "tmpkilled"
    left.mkdir()
    (left / "adapter_model.safetensors").write_bytes(b"half")
    assert memory.verify() == ["adapters/99 belongs to no adapter; opening the home removes it."]
    with memory._registry.making(manifest_of(memory)) as making:
        files(making.folder)
        other = open_memory()
        assert not stray.exists()
        assert not left.exists()
        assert making.wanted()
        again = other._registry.add(
            ANA, making.folder, kind="lora", base=BASE, recipe="sft", manifest=manifest_of(memory), digest="2"
        )
    assert again.id == "lora-2"
    assert other.serving("lora", user="ana") == made
    assert sorted(each.name for each in (home / "adapters").iterdir()) == [".making", "1", "2"]
    assert list((home / "adapters" / ".making").iterdir()) == []
    assert other.verify() == []


def test_of_what_had_its_day_only_the_newest_keep_their_files(
    open_memory: OpenMemory, settings: Settings, home: Path
) -> None:
    memory = open_memory(settings=settings.model_copy(update={"distil": DistilSettings(kept=2)}))
    memory.remember(["I love cashews.", "I live in Porto."], user="ana")
    memory.remember("I hate cashews.", user="bo")
    first = add(memory, ids(memory, "Porto"), serve=True)
    add(memory, ids(memory, "Porto"), serve=True)
    for _ in range(3):
        add(memory, ids(memory, "cashews"), serve=True)
    for _ in range(3):
        memory._registry.judge(ANA, add(memory).id, FAILED)
    add(memory, kind="card", serve=True)
    add(memory, user="bo", serve=True)
    assert {each.name for each in (home / "adapters").iterdir()} == {".making", "3", "4", "5", "7", "8", "9", "10"}
    assert memory.verify() == []
    with pytest.raises(Withheld, match="were cleared away"):
        memory.promote(first.id, user="ana", force=True)
    assert add(memory, digest=first.digest).id != first.id  # it is made again
    receipt = memory.forget(user="ana", ids=ids(memory, "cashews"))
    assert (receipt.complete, receipt.serving) == (True, ())


def test_an_unfinished_making_is_gone_on_with(filled: Memory, open_memory: OpenMemory, home: Path) -> None:
    manifest, resume = manifest_of(filled), (ANA, "lora", "ab12")
    with pytest.raises(RuntimeError), filled._registry.making(manifest, resume=resume) as making:
        files(making.folder)
        busy = pytest.raises(TrainingFailed, match="Another process")
        with busy, filled._registry.making(manifest, resume=resume):
            pass
        raise RuntimeError
    open_memory()  # nothing in it is forgotten: it stays
    with filled._registry.making(manifest, resume=resume) as making:
        assert (making.folder / "adapter_model.safetensors").read_bytes() == b"weights"
        raised = pytest.raises(RuntimeError)
        with raised, filled._registry.making(manifest, resume=(ANA, "card", "ab12")) as other:
            files(other.folder)
            raise RuntimeError
    assert not making.folder.exists()  # it came to its end
    with filled._registry.making(manifest, resume=(ANA, "card", "cd34")) as later:
        assert not other.folder.exists()
        assert list(later.folder.iterdir()) == []
    assert list((home / "adapters" / ".making").iterdir()) == []


def test_an_unfinished_making_of_something_forgotten_goes(filled: Memory, home: Path) -> None:
    with pytest.raises(RuntimeError), filled._registry.making(manifest_of(filled), resume=(ANA, "lora", "1")) as making:
        files(making.folder)
        raise RuntimeError
    assert filled.forget(user="ana", ids=ids(filled, "Porto")).complete
    assert list((home / "adapters" / ".making").iterdir()) == []
