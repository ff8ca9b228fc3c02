"""The packaged model: the real weights, exported once, the same vectors ever after."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

from memoria import load_embeddings
from memoria.errors import ModelUnavailable
from memoria.models import minilm

TEXTS = ["Ana: I moved to Lisbon in June.", "Memo: Congratulations!", "quantum chromodynamics", "x", ""]


def test_meaning_is_near(model_cache: Path) -> None:
    embedder = load_embeddings(None, model_cache)
    home, work = embedder.embed(["I live in a flat in Lisbon", "My boss is strict"])
    question = embedder.embed_query("Where is my home?")
    assert embedder.dimension == 384
    assert question @ home > question @ work + 0.1


def test_a_vector_does_not_depend_on_its_company(model_cache: Path) -> None:
    embedder = load_embeddings(None, model_cache)
    together = embedder.embed([*TEXTS, "word " * 10_000])
    alone = np.concatenate([embedder.embed([text]) for text in TEXTS])
    np.testing.assert_array_equal(together[: len(TEXTS)], alone)
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)


@pytest.mark.slow
def test_it_is_the_model_that_upstream_publishes(model_cache: Path) -> None:
    from sentence_transformers import SentenceTransformer

    reference = SentenceTransformer(str(minilm.packaged_model()), device="cpu")
    wanted = reference.encode(TEXTS, normalize_embeddings=True, show_progress_bar=False)
    exact = load_embeddings("minilm-fp32", model_cache).embed(TEXTS)
    small = load_embeddings(None, model_cache).embed(TEXTS)
    assert (exact * wanted).sum(axis=1).min() > 0.9999
    assert (small * wanted).sum(axis=1).mean() > 0.9


@pytest.mark.slow
def test_a_model_by_its_path_or_hub_name(model_cache: Path) -> None:
    embedder = load_embeddings(str(minilm.packaged_model()), model_cache)
    assert embedder.identity.startswith("hub:")
    exact = load_embeddings("minilm-fp32", model_cache).embed(TEXTS)
    assert (embedder.embed(TEXTS) * exact).sum(axis=1).min() > 0.9999
    with pytest.raises(ModelUnavailable, match="check the name or path"):
        load_embeddings(str(model_cache / "no-such-model"), model_cache)


def test_altered_weights_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "model.safetensors").write_bytes(b"not the weights")
    monkeypatch.setattr(minilm, "packaged_model", lambda: tmp_path / "model")
    with pytest.raises(ModelUnavailable, match="sha256"):
        minilm.MiniLM(tmp_path / "cache")
    assert [path.name for path in (tmp_path / "cache").iterdir() if path.is_dir()] == []


def test_a_missing_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(minilm, "_PACKAGE", "no_such_package")
    with pytest.raises(ModelUnavailable, match="pip install"):
        minilm.MiniLM(tmp_path)


def test_two_processes_export_once_and_need_no_torch(tmp_path: Path) -> None:
    script = """
        import sys
        from pathlib import Path
        from memoria import load_embeddings
        print(load_embeddings(None, Path(sys.argv[1])).embed(["hello"])[0, :3].tolist())
        assert not {"torch", "transformers", "sentence_transformers"} & sys.modules.keys()
    """
    command = [sys.executable, "-c", textwrap.dedent(script), str(tmp_path)]
    started = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    said = [process.communicate(timeout=120)[0] for process in started]
    assert [process.returncode for process in started] == [0, 0]
    assert said[0] == said[1] != ""
    assert len([path for path in tmp_path.iterdir() if path.is_dir()]) == 1
