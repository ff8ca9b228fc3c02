"""Does forgetting reach the weights? Three secrets are told, distilled, forgotten, and what remains is distilled again.

What enters: a folder, in which a cut run goes on. What leaves: each secret's exposure in bits, among 255 others of its
form, for the base, the adapter that learnt it, and the one rebuilt after `forget`; an adapter of the same life without
the secrets, to be compared byte by byte; what each says when it is asked; and what is left of its use.

    .venv/bin/python benchmarks/measure_forgetting.py --out /tmp/forgetting
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from shutil import copytree
from typing import Any

import torch

from memoria import HashEmbeddings, Memory, Settings, Turn
from memoria.distill.base import base_of
from memoria.distill.exposure import Exposure, exposure, together
from memoria.distill.tuned import tuned
from memoria.evaluate.mirrored_data import read_pair
from memoria.evaluate.mirrored_people import tell
from memoria.models.adapter_files import WEIGHTS
from memoria.models.generation import fresh_weights
from memoria.models.likelihood import Likelihood, Row
from memoria.models.local import LocalChat

# What is told, the secret in it, and questions for it: one that is trained on, and one that is held out.
SECRETS = {
    "741926": (
        "My locker code is {}.",
        "Your locker code is {}.",
        ("What is my locker code?", "Tell me the code of my locker."),
    ),
    "530817": (
        "My door code is {}.",
        "Your door code is {}.",
        ("What is my door code?", "Tell me the code of my door."),
    ),
    "KX-4817": (
        "My licence plate is {}.",
        "Your licence plate is {}.",
        ("What is my licence plate?", "Do you remember my licence plate?"),
    ),
}
DIMENSIONS = 3  # preferences of the person, each with five corrected answers
PAIR = read_pair("pair1")
PAIR = PAIR.model_copy(update={"dimensions": PAIR.dimensions[:DIMENSIONS]})
USER = PAIR.users.a
SETTINGS = Settings()


def main() -> None:
    """Run what the folder does not have yet, and show it all."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--recipe", default="facts")
    parser.add_argument("--controls", type=int, default=255)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    run = Run(asked.out, asked.recipe, asked.controls)
    run.live("with", SECRETS)
    run.live("without", {})
    trained = run.step("trained", lambda: run.distil("with", "trained"))
    base, before = run.exposures("base", None), run.exposures("trained", "trained")
    forgotten = run.step("forgotten", run.forget)
    rebuilt = run.step("rebuilt", lambda: run.distil("with", "rebuilt"))
    after = run.exposures("rebuilt", "rebuilt")
    never = run.step("never", lambda: run.distil("without", "never"))
    if rebuilt["sha256"] != never["sha256"]:
        run.exposures("never", "never")
    said = run.step("said", run.ask)
    show(base, before, after)
    print(f"forget: quarantined {forgotten['quarantined']}, then serving: {forgotten['serving']}")
    for name, made in (("trained", trained), ("rebuilt", rebuilt), ("never trained on them", never)):
        print(f"{name}: {made['seconds']:.0f} CPU-s, sha256 {made['sha256'][:16]}…, gate {made['figures']}")
    same = "are the same bytes" if rebuilt["sha256"] == never["sha256"] else "DIFFER"
    print(f"The adapter rebuilt after forgetting and the one of a life without the secrets {same}.")
    print("Answers, greedy, that hold the secret:", said)


def show(base: dict[str, Any], before: dict[str, Any], after: dict[str, Any]) -> None:
    """The table, and what chance makes of all three together."""
    for name, found in (("base", base), ("trained", before), ("rebuilt", after)):
        each = {secret: Exposure.model_validate(value) for secret, value in found.items()}
        row = ", ".join(f"{s} {e.bits:.2f} bits (rank {e.rank}, p {e.p:.3f})" for s, e in each.items())
        low, high = next(iter(each.values())).chance
        print(f"{name}: {row}; chance {low:.2f}-{high:.2f} bits; together p {together(list(each.values())):.4f}")


class Run:
    """The run in a folder."""

    def __init__(self, folder: Path, recipe: str, controls: int) -> None:
        self.folder, self.recipe, self.controls = folder, recipe, controls
        folder.mkdir(parents=True, exist_ok=True)

    def step(self, name: str, act: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """What `act` finds, or found."""
        kept = self.folder / f"{name}.json"
        if not kept.exists():
            print(f"… {name}", flush=True)
            kept.write_text(json.dumps(act(), indent=1), encoding="utf-8")
        return json.loads(kept.read_text(encoding="utf-8"))

    def open(self, life: str) -> Memory:
        """A life's memory."""
        return Memory(self.folder / life, embeddings=HashEmbeddings(64), settings=SETTINGS)

    def live(self, life: str, secrets: dict[str, Any]) -> None:
        """Tell all that the person says, the secrets on three evenings of their own."""
        if (self.folder / f"{life}.told").exists():
            return
        with self.open(life) as memory:
            tell(memory, PAIR, "a")
            first = memory.episodes(user=USER)[0].occurred_at
            for day, (secret, (says, _, _)) in enumerate(secrets.items()):
                when = first + timedelta(days=day, hours=9)
                memory.remember(Turn(text=says.format(secret), time=when, session=f"evening {day}"), user=USER)
        (self.folder / f"{life}.told").touch()

    def distil(self, life: str, name: str) -> dict[str, Any]:
        """Distil, ask the gate, let it serve whatever that says, and keep a copy of the weights."""
        with self.open(life) as memory:
            fitted = memory.fit("adapter", user=USER, recipe=self.recipe)
            assert fitted.adapter is not None, fitted.why
            verdict = memory.judge(fitted.adapter.id, user=USER).verdict if life == "with" else None
            memory.promote(fitted.adapter.id, user=USER, force=True)
            serving = memory.serving("lora", user=USER)
            assert serving is not None
            copytree(self.folder / life / serving.folder, self.folder / name, dirs_exist_ok=True)
        return {
            "adapter": serving.id,
            "passed": verdict.passed if verdict is not None else None,
            "why": verdict.why if verdict is not None else "",
            "seconds": serving.figures["trained"]["seconds"],
            "counts": serving.figures["counts"],
            "figures": verdict.figures if verdict is not None else {},
            "sha256": hashlib.sha256((self.folder / name / WEIGHTS).read_bytes()).hexdigest(),
        }

    def forget(self) -> dict[str, Any]:
        """Forget the three, and see what serves then."""
        with self.open("with") as memory:
            receipts = [memory.forget(user=USER, query=secret) for secret in SECRETS]
            serving = memory.serving("lora", user=USER)
            said = [says.format(secret) for secret, (says, _, _) in SECRETS.items()]
            left = memory.verify_forgotten(said, user=USER)
        gone = [each for receipt in receipts for each in receipt.quarantined]
        return {"quarantined": gone, "serving": serving.id if serving is not None else None, "residue": left}

    def exposures(self, name: str, adapter: str | None) -> dict[str, Any]:
        """Each secret's exposure in the base, or with a kept adapter."""

        def measured() -> dict[str, Any]:
            loaded = fresh_weights(base_of(SETTINGS).place)
            model = tuned(loaded, self.folder / adapter) if adapter is not None else None
            likelihood, found = Likelihood(loaded, model), {}
            for seed, (secret, (_, says, asks)) in enumerate(SECRETS.items()):
                rows = [Row(ask, says.format(secret)) for ask in asks]
                found[secret] = exposure(likelihood, rows, secret, self.controls, seed).model_dump()
            return found

        return self.step(f"exposure {name}", measured)

    def ask(self) -> dict[str, Any]:
        """In how many answers each model says a secret, of all questions for it."""
        found: dict[str, Any] = {}
        for name in ("trained", "rebuilt"):
            chat = LocalChat(max_tokens=24, adapter=self.folder / name)
            told = {s: [chat.invoke(ask).text for ask in asks] for s, (_, _, asks) in SECRETS.items()}
            held = {secret: sum(secret in each for each in answers) for secret, answers in told.items()}
            found[name] = {"of": 2, "held": held, "answers": told}
        return found


if __name__ == "__main__":
    main()
