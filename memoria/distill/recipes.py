"""Recipes: how to train, by name.

What enters: a name, and the folder of the user's own settings. What leaves: a frozen `Recipe`, or an error that names
the file and the key. The packaged ones lie beside this module in `recipes/` (and, to be copied, in `configs/distil/`);
one of the same name in `$MEMORIA_CONFIGS/distil/` takes its place.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from memoria.distill.aims import Aim
from memoria.errors import InvalidInput

_PACKAGED = Path(__file__).parent / "recipes"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Stage(_Part):
    """So many `steps` of one loss, with AdamW at `rate` (warmed up over a tenth of them, then falling to nothing).

    `loss`: "sft" (the likelihood of the answers; `margin` weighs how much likelier they are than those turned down for
    them), "dpo" (chosen against rejected, `beta` its temperature, against the adapter that the stage began with, or the
    base at first; `sft` weighs the chosen answers' likelihood beside it, without it DPO ruins the model; `aims`, by
    weight, are what answers shall be besides: see `aims.py`), "kl" (the answers' distributions under the same model
    with the memory in its prompt). `replay` is the share of each batch that is neutral text.
    """

    loss: Literal["sft", "dpo", "kl"] = "sft"
    steps: int = Field(default=60, ge=1)
    batch: int = Field(default=8, ge=1)
    rate: float = Field(default=1e-3, gt=0)
    beta: float = Field(default=0.1, gt=0)
    sft: float = Field(default=0.5, ge=0)
    margin: float = Field(default=0.0, ge=0)
    aims: dict[Aim, Annotated[float, Field(gt=0, lt=1)]] = Field(default_factory=dict[Aim, float])
    replay: float = Field(default=0.125, ge=0, lt=1)

    @property
    def own(self) -> float:
        """The weight that the aims leave to the person's own pairs."""
        return 1 - sum(self.aims.values())

    @model_validator(mode="after")
    def _weighed(self) -> Stage:
        if self.aims and (self.loss != "dpo" or self.own <= 0):
            raise ValueError("aims are for dpo, and their weights leave something of 1 to the person's own pairs")
        return self


class Budget(_Part):
    """At most so much processor time, and tokens learnt from; what is reached ends the training where it stands."""

    seconds: float = Field(default=150, gt=0)
    tokens: int | None = Field(default=None, gt=0)


class Recipe(_Part):
    """How to train.

    `kind`: "lora" (rank `rank` on all linear layers of the upper `layers` (None: of all); no bias, no DoRA, so that
    vLLM and llama.cpp take it), "prompt" (a soft prompt of `virtual_tokens`), "prefix" (`virtual_tokens` keys and
    values a layer; no packaged recipe uses it: it harms neutral text). `facts`: whether facts are trained, too; by
    default they stay in retrieval, where they can be deleted at once.
    """

    name: str
    kind: Literal["lora", "prompt", "prefix"] = "lora"
    rank: int = Field(default=8, ge=1)
    alpha: int = Field(default=16, ge=1)
    dropout: float = Field(default=0.0, ge=0, lt=1)
    layers: int | None = Field(default=None, ge=1)
    virtual_tokens: int = Field(default=20, ge=1)
    facts: bool = False
    stages: Annotated[tuple[Stage, ...], Field(min_length=1)] = (Stage(),)
    budget: Budget = Budget()
    seed: int = 0

    @property
    def digest(self) -> str:
        """A name for just this recipe."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:16]


def packaged() -> list[str]:
    """The names of the recipes that come with memoria."""
    return sorted(path.stem for path in _PACKAGED.glob("*.yaml"))


def load_recipe(name: str, folder: Path | None = None) -> Recipe:
    """The recipe `name`: the user's own in `folder`/distil, else the packaged one.

    Raises `InvalidInput` naming the file and the key, or the recipes that there are.
    """
    own = {path.stem: path for path in folder.glob("distil/*.yaml")} if folder is not None else {}
    if name not in own and name not in packaged():
        raise InvalidInput(f"There is no recipe {name!r}; there are {', '.join(sorted({*own, *packaged()}))}.")
    path = own.get(name, _PACKAGED / f"{name}.yaml")
    try:
        values: Any = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        return Recipe.model_validate({"name": name, **values})
    except (OSError, UnicodeDecodeError, yaml.YAMLError, TypeError) as error:
        raise InvalidInput(f"{path} is no recipe ({error}); see configs/distil/ in memoria's repository.") from error
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise InvalidInput(f"{path}: {key}: {first['msg']}; correct it or remove it.") from error
