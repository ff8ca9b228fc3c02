"""Embedding by ONNX Runtime beside sentence-transformers on the same texts, one thread each.

What enters: the demo's turns. What leaves: CPU-seconds as ratios; run with `make bench`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import torch
from sentence_transformers import SentenceTransformer

from memoria import Settings, load_embeddings
from memoria.models.minilm import packaged_model

DATA = Path(__file__).parents[1] / "examples" / "data" / "ana.jsonl"


def cpu_s(act: Callable[[], object]) -> float:
    """CPU-seconds that `act` takes: the best of three."""
    spent = []
    for _ in range(3):
        begun = time.process_time()
        act()
        spent.append(time.process_time() - begun)
    return min(spent)


def main() -> None:
    """Questions one by one, then a batch."""
    torch.set_num_threads(1)
    texts = [json.loads(line)["text"] for line in DATA.read_text(encoding="utf-8").splitlines()][:200]
    reference = SentenceTransformer(str(packaged_model()), device="cpu")
    for name in ("minilm", "minilm-fp32"):
        model = load_embeddings(name, Settings().cache_dir).model
        model.embed_query("warm up")
        ours = cpu_s(lambda m=model: [m.embed_query(text) for text in texts])
        theirs = cpu_s(lambda: [reference.encode(text, show_progress_bar=False) for text in texts])
        batch = cpu_s(lambda m=model: m.embed_documents(texts))
        their_batch = cpu_s(lambda: reference.encode(texts, batch_size=32, show_progress_bar=False))
        verdict = "ok   " if theirs / ours >= 2 else "BELOW"
        print(f"{verdict}  {name}: a question {theirs / ours:.1f} times as fast as sentence-transformers (>= 2)")
        print(f"       {ours / len(texts) * 1000:.2f} ms a question; a batch {their_batch / batch:.1f} times as fast")


if __name__ == "__main__":
    main()
