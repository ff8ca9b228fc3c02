"""Serving many people's adapters on one base: what a swap and a mixed batch cost, and what they leave behind.

What enters: the packaged language model; a hundred random LoRA adapters (r=8 on all linear layers) made for the run.
What leaves: CPU-seconds of one thread as ratios of the same run, memory before and after a thousand swaps, whether a
batch of mixed people gives the text that each gets alone, whether the base is still the same to the bit. Run:

    OMP_NUM_THREADS=1 python benchmarks/bench_serving.py
"""

from __future__ import annotations

import argparse
import gc
import hashlib
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import peft
import psutil
import torch
from safetensors.torch import load_file, save_file

from memoria import Settings
from memoria.models.adapter_files import WEIGHTS, head
from memoria.models.adapters import AdapterPool
from memoria.models.generation import Loaded, Sampling, load_weights, tokens_of
from memoria.models.slots import quiet, twin
from memoria.models.smollm import converted

SHORT = "What shall I cook tonight?"
ASKED = [
    "What shall I cook tonight?",
    "Recommend a book that I would like, and say in a sentence why it would be that one.",
    "Where do I live?",
    "Plan my Saturday, hour by hour, from breakfast on.",
    "Tea or coffee?",
    "Write two lines to my sister about the weekend in Lisbon.",
    "Which film tonight?",
    "How do I say good morning in Portuguese, and how do I answer it?",
]


def cpu_s(act: Callable[[], object], times: int = 7) -> float:
    """CPU-seconds that `act` takes: the best of several."""
    spent: list[float] = []
    for _ in range(times):
        begun = time.process_time()
        act()
        spent.append(time.process_time() - begun)
    return min(spent)


def told(good: bool, what: str) -> None:
    """A line with its verdict."""
    print(f"{'ok   ' if good else 'BELOW'}  {what}", flush=True)


def made(loaded: Loaded, folder: Path, count: int) -> list[Path]:
    """So many random adapters."""
    config = peft.LoraConfig(r=8, lora_alpha=16, target_modules="all-linear", task_type="CAUSAL_LM")
    with quiet():
        peft.get_peft_model(twin(loaded.model), config).save_pretrained(folder / "0")
    shapes = {name: each.shape for name, each in load_file(folder / "0" / WEIGHTS).items()}
    for number in range(count):
        chance = torch.Generator().manual_seed(number)
        place = folder / str(number)
        if number:
            shutil.copytree(folder / "0", place)
        save_file(
            {name: torch.randn(shape, generator=chance) * 0.02 for name, shape in shapes.items()}, place / WEIGHTS
        )
    return [folder / str(number) for number in range(count)]


def speeds(pool: AdapterPool, adapters: list[Path]) -> None:
    """A swap, a prompt of eight, a token for eight: as multiples of the base's own time."""
    ids = torch.tensor([tokens_of(pool.loaded, [("user", SHORT)])])

    def forward(people: list[Path | None], read: Any) -> Callable[[], Any]:
        def act() -> Any:
            with torch.inference_mode():
                return pool.forward(people, {"input_ids": read, "logits_to_keep": 1})

        return act

    eight: list[Path | None] = [*adapters[:8]]
    forward(eight, ids.repeat(8, 1))()
    base = cpu_s(forward([None], ids))
    waiting = iter(adapters[8:] * 2)

    def swap() -> None:
        with pool.use(next(waiting)):
            pass

    swapped = cpu_s(swap, 20)
    told(swapped <= 1.5 * base, f"a swap {swapped / base:.2f} of a forward pass of {ids.shape[1]} tokens (<= 1.5)")
    print(f"       {swapped * 1000:.0f} ms; the base's forward pass {base * 1000:.0f} ms")
    forward(eight, ids.repeat(8, 1))()
    for what, read in (("a prompt", ids.repeat(8, 1)), ("a token", ids[:, :1].repeat(8, 1))):
        bare = cpu_s(forward([None] * 8, read))
        one, mixed = (cpu_s(forward(people, read)) for people in ([eight[0]] * 8, eight))
        told(one <= 1.4 * bare, f"{what} of eight by one adapter {one / bare:.2f} of the base (<= 1.4)")
        told(mixed <= 3.5 * bare, f"{what} of eight by eight adapters {mixed / bare:.2f} of the base (<= 3.5)")
        print(f"       the base {bare * 1000:.0f} ms")


def leaks(pool: AdapterPool, adapters: list[Path], swaps: int) -> None:
    """Memory before and after the swaps, the first hundred of them apart."""

    def resident() -> float:
        gc.collect()
        return psutil.Process().memory_info().rss / 1e6

    sizes = [resident()]
    for number in range(swaps):
        with pool.use(adapters[number % len(adapters)]):
            pass
        if number + 1 == len(adapters):
            sizes.append(resident())
    sizes.append(resident())
    grown, size = sizes[2] - sizes[1], head(adapters[0]).bytes / 1e6
    told(grown < size, f"{swaps} swaps of {len(adapters)} adapters: {grown:+.1f} MB after the first {len(adapters)}")
    print(
        f"       {sizes[0]:.0f} MB before, {sizes[1]:.0f} then, {sizes[2]:.0f} at the end; an adapter is {size:.1f} MB"
    )


def alike(pool: AdapterPool, adapters: list[Path], tokens: int) -> None:
    """Mixed people's texts beside those that each gets alone, greedy and drawn."""
    people: list[Path | None] = [
        adapters[0],
        None,
        adapters[1],
        adapters[2],
        adapters[0],
        adapters[3],
        None,
        adapters[4],
    ]
    asked = [([("user", text)], adapter) for text, adapter in zip(ASKED, people, strict=True)]
    for temperature in (0.0, 0.8):
        how = [Sampling(tokens, temperature, 0.95, 1.1, seed, 1) for seed in range(len(asked))]
        together = pool.generate(asked, how)
        alone = [pool.generate([each], [one])[0] for each, one in zip(asked, how, strict=True)]
        same = sum(one == other for one, other in zip(together, alone, strict=True))
        what = "greedy" if temperature == 0 else f"temperature {temperature}"
        told(same == len(asked), f"mixed people: {same} of {len(asked)} texts as alone ({tokens} tokens, {what})")


def fingerprint(loaded: Loaded) -> str:
    """The base's weights, by their bytes."""
    state = hashlib.sha256()
    for name, each in loaded.model.state_dict().items():
        state.update(name.encode() + each.numpy().tobytes())
    return state.hexdigest()


def main() -> None:
    """All of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--adapters", type=int, default=100, help="how many on disk")
    parser.add_argument("--swaps", type=int, default=1000)
    parser.add_argument("--tokens", type=int, default=32, help="of each answer that is compared")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    loaded = load_weights(str(converted(Settings().cache_dir)), "cpu")
    before = fingerprint(loaded)
    with tempfile.TemporaryDirectory() as folder:
        adapters = made(loaded, Path(folder), chosen.adapters)
        pool = AdapterPool(loaded, slots=8)
        speeds(pool, adapters)
        leaks(pool, adapters, chosen.swaps)
        alike(pool, adapters, chosen.tokens)
        pool.forget(adapters[0])
    told(fingerprint(loaded) == before, "the base is the same to the bit")


if __name__ == "__main__":
    main()
