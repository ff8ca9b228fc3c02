"""A tiny base of a test's own, and adapters for it that nobody trained."""

from __future__ import annotations

from pathlib import Path

import pytest
from random_adapters import make_lora
from tiny import make_tiny

from memoria.models.generation import Loaded, fresh_weights


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    return fresh_weights(str(make_tiny(tmp_path_factory.mktemp("tiny"))))


@pytest.fixture(scope="module")
def loras(loaded: Loaded, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("loras")
    return [make_lora(loaded, folder / str(seed), seed) for seed in range(12)]
