"""The commands by which a person teaches."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from memoria import HashEmbeddings, Memory

Cli = Callable[..., tuple[int, str, str]]


def test_feedback_is_kept_by_the_beginning_of_an_id(cli: Cli, tmp_path: Path, home: Path) -> None:
    turns = [{"text": "Which song?", "speaker": "Ana"}, {"text": "Take Five.", "role": "assistant"}]
    (tmp_path / "talk.jsonl").write_text("\n".join(json.dumps({**each, "session": "one"}) for each in turns))
    assert cli("remember", tmp_path / "talk.jsonl", "--user", "ana")[0] == 0
    with Memory(home, embeddings=HashEmbeddings(32)) as memory:
        asked, answer = (each.id for each in memory.episodes(user="ana"))
    code, out, _ = cli("feedback", answer[:8], "--user", "ana", "--correction", "So What.")
    assert code == 0 and "Take Five." in out
    code, _, err = cli("feedback", asked[:8], "--user", "ana", "--score", 1)
    assert code == 2 and "no answer of an assistant's" in err
    code, _, err = cli("feedback", "zz", "--user", "ana", "--score", 1)
    assert code == 2 and "memoria recall QUESTION --user ana --json" in err
    code, out, _ = cli("consent", "--user", "ana", "--withhold")
    assert code == 0 and "not learnt from" in out
    code, out, _ = cli("consent", "--user", "ana")
    assert code == 0 and "may be learnt from" in out
    with Memory(home, embeddings=HashEmbeddings(32)) as memory:
        (pair,) = memory.dataset(user="ana").pairs
    assert (pair.chosen, pair.rejected) == ("So What.", "Take Five.")
