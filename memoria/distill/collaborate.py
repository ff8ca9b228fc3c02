"""A newcomer's adapter out of other people's: nothing of theirs but weights is used, and of the newcomer few examples.

What enters: the newcomer's data set, and the folders of others' LoRA. What leaves: a LoRA of its own, begun as the sum
of the nearest ones, each with a share, and trained on from there where the recipe says so.

How near another is, is how much likelier their adapter finds the newcomer's answers than the base does. The shares
are a softmax of that gain over the nearest few. Adding LoRA's two factors apart is not adding what they do; the sum is
taken of their products, and brought back to the rank by its singular values, as `merge` does, but here in memory and
without the base: a newcomer tries many.

Per-Pcs: Tan et al. (2024); PROPER: Zhang et al. (2025).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from memoria.distill.batches import rows_to_learn
from memoria.distill.merge import nearest
from memoria.distill.neutral import Neutral
from memoria.distill.recipes import Recipe
from memoria.distill.records import Dataset, Manifest, Source, Trained
from memoria.distill.train import train
from memoria.distill.tuned import tuned
from memoria.errors import InvalidInput, first_line
from memoria.models.adapter_files import CONFIG, WEIGHTS, scale_of
from memoria.models.generation import Loaded
from memoria.models.likelihood import Likelihood

Weights = Mapping[str, NDArray[np.float32]]  # as PEFT names them: "….lora_A.weight" (rank, in), "….lora_B.weight"

NEAREST = 5
TEMPERATURE = 0.1  # nats a token


@dataclass(frozen=True)
class Peer:
    """Another's LoRA: its id in the registry, its folder, and the hash that a manifest names it with."""

    id: str
    folder: Path
    hash: str


@dataclass(frozen=True)
class Lora:
    """A LoRA's weights, and by how much their products count."""

    weights: Weights
    scale: float


@dataclass(frozen=True)
class Collaboration:
    """How a newcomer's adapter was made: each peer's `gains` (nats a token) and `shares`, in the order given; the
    training after the merge, if any; and the manifest, which names the peers that have a share."""

    gains: tuple[float, ...]
    shares: tuple[float, ...]
    manifest: Manifest
    trained: Trained | None


def collaborate(
    data: Dataset,
    peers: Sequence[Peer],
    recipe: Recipe,
    loaded: Loaded,
    folder: Path,
    *,
    base: str,
    neutral: Neutral,
    own_steps: bool = True,
    nearest: int = NEAREST,
    temperature: float = TEMPERATURE,
) -> Collaboration:
    """Make the newcomer's adapter in `folder`, of the recipe's rank; `own_steps`: then train it by the recipe.

    Args:
        loaded: the base, which PEFT changes: the caller's own.
        base: the name that servers know the base by.

    Raises `InvalidInput` for no peers, no examples, a peer that is no plain LoRA, one for another base, or one that
    changes other layers than the recipe does.
    """
    adapters = [read_lora(each.folder) for each in peers]
    for each in peers:
        if (made_for := _config(each.folder).get("base_model_name_or_path")) != base:
            raise InvalidInput(f"{each.folder} was made for {made_for}, not for {base}; leave it out.")
    gained = gains(data, peers, recipe, loaded)
    given = shares(gained, nearest=nearest, temperature=temperature)
    merged = mixed(adapters, given, recipe.rank, recipe.alpha / recipe.rank)
    begin = folder / "begin" if own_steps else folder
    _write(merged, begin, peers[0].folder, recipe)
    trained = None
    if own_steps:
        trained = train(data, recipe, loaded, folder, base=base, neutral=neutral, start=begin)
        for name in (WEIGHTS, CONFIG):
            (begin / name).unlink()
        begin.rmdir()
    used = [Source(kind="adapter", id=e.id, hash=e.hash) for e, share in zip(peers, given, strict=True) if share]
    manifest = Manifest(sources=(*data.manifest.sources, *used), counts={**data.manifest.counts, "adapters": len(used)})
    return Collaboration(tuple(gained), tuple(given), manifest, trained)


def gains(data: Dataset, peers: Sequence[Peer], recipe: Recipe, loaded: Loaded) -> list[float]:
    """By how much likelier each peer's adapter finds the newcomer's answers than the base: mean nats a token."""
    rows = list(dict.fromkeys(each.taken for part in rows_to_learn(data, facts=recipe.facts) for each in part))
    if not rows or not peers:
        raise InvalidInput("A newcomer needs an example of its own, and somebody else's adapter; there are none.")
    before = float(Likelihood(loaded).nll(rows).mean())
    found: list[float] = []
    for each in peers:
        model = tuned(loaded, each.folder)
        found.append(before - float(Likelihood(loaded, model).nll(rows).mean()))
        model.unload()  # the base is bare again
    return found


def shares(gained: Sequence[float], *, nearest: int = NEAREST, temperature: float = TEMPERATURE) -> list[float]:
    """Each peer's share: a softmax over the `nearest` ones, nothing for the others."""
    scores = np.asarray(gained, dtype=np.float64) / temperature
    order = np.argsort(-scores, kind="stable")[:nearest]
    raised = np.zeros(len(scores))
    raised[order] = np.exp(scores[order] - scores[order[0]])
    return [float(each) for each in raised / raised.sum()]


def mixed(adapters: Sequence[Lora], given: Sequence[float], rank: int, scale: float) -> Weights:
    """The weights, of `rank` and `scale`, nearest to the sum of what the adapters do, each times its share."""
    used = [(each, share) for each, share in zip(adapters, given, strict=True) if share]
    modules = sorted({name.rpartition(".lora_A")[0] for each, _ in used for name in each.weights if ".lora_A" in name})
    found: dict[str, NDArray[np.float32]] = {}
    for module in modules:
        down, up = f"{module}.lora_A.weight", f"{module}.lora_B.weight"
        parts = [(each, share * each.scale / scale) for each, share in used if down in each.weights]
        left = np.concatenate([each.weights[up] * share for each, share in parts], axis=1, dtype=np.float64)
        right = np.concatenate([each.weights[down] for each, _ in parts], axis=0, dtype=np.float64)
        found[up], found[down] = nearest(left, right, rank)
    return found


def read_lora(folder: Path) -> Lora:
    """The LoRA in a folder. Raises `InvalidInput` where there is none."""
    safetensors: Any = import_module("safetensors.numpy")
    try:
        config = _config(folder)
        weights: Weights = safetensors.load((folder / WEIGHTS).read_bytes())
    except Exception as error:  # safetensors raises an error of its own
        raise InvalidInput(f"{folder} holds no adapter ({first_line(error)}); name the folder of a LoRA.") from error
    try:
        return Lora(weights, scale_of(config))
    except (LookupError, TypeError, ValueError) as error:
        raise InvalidInput(f"{folder} cannot be added up: {error}; leave it out.") from error


def _config(folder: Path) -> dict[str, Any]:
    return json.loads((folder / CONFIG).read_text(encoding="utf-8"))


def _write(weights: Weights, folder: Path, like: Path, recipe: Recipe) -> None:
    """A PEFT folder as `like`, but for the weights and the rank."""
    safetensors: Any = import_module("safetensors.numpy")
    folder.mkdir(parents=True, exist_ok=True)
    config = _config(like) | {"r": recipe.rank, "lora_alpha": recipe.alpha}
    targets = {name.removeprefix("base_model.model.").rpartition(".lora_")[0] for name in weights}
    config["target_modules"] = sorted(targets)
    (folder / CONFIG).write_text(json.dumps(config, indent=2), encoding="utf-8")
    safetensors.save_file(dict(weights), folder / WEIGHTS, metadata={"format": "pt"})
