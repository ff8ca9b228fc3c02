"""Every knob of memoria, with its default and its reason.

What enters: keyword arguments, a YAML file (`configs/memoria.yaml` and `configs/recall.yaml` show every key), or the
environment (`MEMORIA_HOME`, `MEMORIA_CONFIGS`, `MEMORIA_CACHE`, read nowhere else). What leaves: one frozen `Settings`.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Literal, cast

import yaml
from platformdirs import user_cache_path, user_data_path
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from memoria.errors import InvalidInput


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Signals(_Section):
    """Which signals recall listens to; each can be switched off (the rest keep their weights)."""

    dense: bool = True
    dense_window: bool = True
    lexical: bool = True
    lexical_window: bool = True
    session: bool = True
    speaker: bool = True
    time: bool = True
    shape: bool = True
    graph: bool = True
    belief: bool = True


class RecallSettings(_Section):
    """How recall searches. `candidates` turns are taken from the vector index; `known_threshold` is the calibrated
    confidence from which on memoria says that it knows (chosen on questions asked of the wrong person). `profile`:
    contexts state lines of the person's profile, where one was made."""

    signals: Signals = Signals()
    k: int = Field(default=10, ge=1)
    budget: int = Field(default=1500, ge=1)
    candidates: int = Field(default=512, ge=1)
    known_threshold: float = Field(default=0.5, ge=0.0, le=1.0)
    quote_chars: int = Field(default=600, ge=40)
    profile: bool = False


class StoreSettings(_Section):
    """How the ledger and its index are kept.

    `durability`: "normal" survives a killed process, "full" also a power cut (one fsync a write).
    `index`: "edge" (in-process Qdrant), "exact" (numpy over the ledger), or a Qdrant server's URL.
    """

    durability: Literal["normal", "full"] = "normal"
    busy_timeout_s: float = Field(default=30.0, gt=0)
    index: str = "edge"
    index_api_key: str | None = Field(default=None, repr=False)
    flush_every: int = Field(default=2000, ge=1)
    cache_mb: int = Field(default=96, ge=1)
    max_chars: int = Field(default=100_000, ge=1)


class ExtractSettings(_Section):
    """Whether what turns say is believed as they are written (else by `Memory.learn`), and whether spaCy may help.

    What is written is always read by rules. With a `model` (a name for LangChain's `init_chat_model`) `Memory.learn`
    reads with it: `prompt` is a packaged prompt's name or a file's path, the budgets are for one `learn`, prices for a
    million tokens.
    """

    on_write: bool = True
    spacy: bool = True
    model: str | None = None
    prompt: str = "extract-v1"
    batch_turns: int = Field(default=20, ge=1)
    batch_tokens: int = Field(default=3000, ge=1)
    retries: int = Field(default=2, ge=0)
    budget_tokens: int | None = Field(default=None, ge=0)
    budget_money: float | None = Field(default=None, ge=0)
    price_in: float | None = Field(default=None, ge=0)
    price_out: float | None = Field(default=None, ge=0)


class ResolveSettings(_Section):
    """From when on `Memory.resolve` takes two names for one entity's; all three must be reached.

    `spelling`: 1 is the same name but for accents and titles, 0.9 a name and a fuller one, 0.8 a pet form, 0.7 a slip
    of a letter in a full name; what is below is only shown. `meaning` is the cosine of the names with what is believed
    of them: by itself it tells people apart badly (sisters of one person are as near as two names of one sister), so
    it only has to be more than that of strangers. `score` is 0.6 spelling + 0.4 meaning + 0.1 for a shared belief: the
    same name needs no more than `meaning`, a fuller one also 0.53 or a shared belief, a pet form a shared belief.
    """

    spelling: float = Field(default=0.8, ge=0.0, le=1.0)
    meaning: float = Field(default=0.4, ge=0.0, le=1.0)
    score: float = Field(default=0.75, ge=0.0, le=1.0)


class ReflectSettings(_Section):
    """How histories are reflected on. `profile_tokens` bounds the profile; with a `model` (a name for LangChain's
    `init_chat_model`) it writes lines beside those found without one; the budgets are for one reflection, prices for a
    million tokens. `peers`: weigh a line by how few of the tenant's other users share it (their counts are read, never
    their words)."""

    profile_tokens: int = Field(default=800, ge=50)
    model: str | None = None
    peers: bool = False
    budget_tokens: int | None = Field(default=None, ge=0)
    budget_money: float | None = Field(default=None, ge=0)
    price_in: float | None = Field(default=None, ge=0)
    price_out: float | None = Field(default=None, ge=0)


class GateSettings(_Section):
    """What a candidate must show before it serves, on held-out data of the same person and on neutral text.

    `pairs`: so many held-out pairs, or there is too little evidence. `gain`: how much of them it must rank right beyond
    the base (and by a paired bootstrap at `confidence`, more than the base); `keep`: how much fewer than what serves
    now. The others are ratios to the base: the chosen answers' mean NLL, neutral text in chat form, neutral text as it
    is; `swapped`: how much better than on another person's preferences, where one is at hand; `facts`: the share of
    facts told from false ones in new words, where facts are trained."""

    pairs: int = Field(default=20, ge=1)
    gain: float = Field(default=0.1, ge=0.0, le=1.0)
    keep: float = Field(default=0.03, ge=0.0, le=1.0)
    confidence: float = Field(default=0.9, gt=0.5, lt=1.0)
    chosen: float = Field(default=1.0, gt=0)
    chat: float = Field(default=1.05, gt=0)
    plain: float = Field(default=1.04, gt=0)
    swapped: float = Field(default=0.0, ge=0.0, le=1.0)
    facts: float = Field(default=0.9, ge=0.0, le=1.0)


class DistilSettings(_Section):
    """How memories are distilled. `model` is a local model's folder or name (None: the packaged SmolLM2-135M), `recipe`
    a recipe's name, `kinds` what is made. `consent`: "assumed" unless withheld, or "required" of each person. A
    training gets `threads`, `memory_mb` of memory, and the machine to itself. `card_tokens` bounds the preference
    card, `card_by` says what it is chosen and judged by: the local model where there is one, or the head (in
    milliseconds). `kept`: of so many of a kind that served, and as many rejected ones, the files stay."""

    model: str | None = None
    recipe: str = "sft"
    kinds: tuple[Literal["head", "card", "adapter"], ...] = ("head", "card", "adapter")
    consent: Literal["assumed", "required"] = "assumed"
    threads: int = Field(default=1, ge=1)
    memory_mb: int = Field(default=2500, ge=200)
    card_tokens: int = Field(default=300, ge=30)
    card_by: Literal["model", "head"] = "model"
    kept: int = Field(default=3, ge=1)
    seed: int = 0
    gate: GateSettings = GateSettings()


class RetentionSettings(_Section):
    """After how many days each kind goes, by `Memory.retain`; None keeps it. `retired` are beliefs that hold no
    more."""

    user_days: int | None = Field(default=None, ge=1)
    assistant_days: int | None = Field(default=None, ge=1)
    tool_days: int | None = Field(default=None, ge=1)
    retired_days: int | None = Field(default=None, ge=1)


class Settings(_Section):
    """All settings. `embeddings` is a name for `memoria.load_embeddings`; None is the offline default.

    `folder` is where they were read; an `ontology.yaml` there joins the packaged one."""

    embeddings: str | None = None
    cache_dir: Path = Field(default_factory=lambda: default_cache())
    store: StoreSettings = StoreSettings()
    recall: RecallSettings = RecallSettings()
    extract: ExtractSettings = ExtractSettings()
    resolve: ResolveSettings = ResolveSettings()
    reflect: ReflectSettings = ReflectSettings()
    retention: RetentionSettings = RetentionSettings()
    distil: DistilSettings = DistilSettings()
    folder: Path | None = Field(default=None, exclude=True)

    @classmethod
    def load(cls, folder: Path | None = None) -> Settings:
        """Settings from `memoria.yaml` and `recall.yaml` in `folder`, else in `$MEMORIA_CONFIGS`, else the defaults.

        Raises `InvalidInput` naming the file and the key when one cannot be taken.
        """
        place = folder or _from_environment("MEMORIA_CONFIGS")
        if place is None:
            return cls()
        if not place.is_dir():
            raise InvalidInput(f"{place} is no folder of settings; make it, or unset MEMORIA_CONFIGS.")
        values = _read_yaml(place / "memoria.yaml")
        recall = _read_yaml(place / "recall.yaml")
        if recall:
            values["recall"] = recall
        values["folder"] = place
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            first = error.errors()[0]
            key = ".".join(str(part) for part in first["loc"])
            raise InvalidInput(f"{place}: setting {key}: {first['msg']}; correct it or remove it.") from error

    def without_signals(self, names: list[str]) -> Settings:
        """The same settings with some of recall's signals off. Raises `InvalidInput` for a name that there is not."""
        for name in names:
            if name not in Signals.model_fields:
                raise InvalidInput(f"There is no signal {name!r}; there are {', '.join(Signals.model_fields)}.")
        signals = self.recall.signals.model_copy(update=dict.fromkeys(names, False))
        return self.model_copy(update={"recall": self.recall.model_copy(update={"signals": signals})})


def _read_yaml(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    try:
        values: Any = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except yaml.YAMLError as error:
        raise InvalidInput(f"{path} is not YAML ({error}); correct it.") from error
    if not isinstance(values, dict):
        raise InvalidInput(f"{path} must hold keys and values; see configs/ in memoria's repository.")
    return cast(dict[str, Any], values)  # validated by pydantic next


def _from_environment(name: str) -> Path | None:
    value = os.environ.get(name)
    return Path(value).expanduser() if value else None


def default_home() -> Path:
    """`$MEMORIA_HOME`, else memoria's folder among the platform's data folders."""
    return _from_environment("MEMORIA_HOME") or user_data_path("memoria", appauthor=False)


def default_cache() -> Path:
    """`$MEMORIA_CACHE`, else memoria's folder among the platform's caches (exported models lie there)."""
    return _from_environment("MEMORIA_CACHE") or user_cache_path("memoria", appauthor=False)
