"""Likelihoods: rows packed behind their common beginning are as likely as rows by themselves."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memoria.models import likelihood as module
from memoria.models.generation import Loaded, tokens_of
from memoria.models.likelihood import Likelihood, Row, encode

WORDS = st.text("ab é?", min_size=1, max_size=12)
ROWS = st.lists(st.builds(Row, WORDS, WORDS, st.sampled_from(["", "be kind", "ba"])), min_size=1, max_size=40)


@given(rows=ROWS)
@settings(max_examples=25, deadline=None)
def test_a_row_is_as_likely_in_any_company(loaded: Loaded, rows: list[Row]) -> None:
    together = Likelihood(loaded).nll(rows)
    alone = [Likelihood(loaded).nll([row])[0] for row in rows]
    assert np.allclose(together, alone, atol=1e-4)


@given(rows=ROWS)
@settings(max_examples=25, deadline=None)
def test_packed_and_padded_agree(loaded: Loaded, rows: list[Row]) -> None:
    packed = Likelihood(loaded).nll(rows)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_PACKED", frozenset())
        padded = Likelihood(loaded).nll(rows)
    assert np.allclose(packed, padded, atol=1e-4)


def test_it_is_the_mean_over_the_answers_tokens(loaded: Loaded) -> None:
    import torch

    ids = tokens_of(loaded, [("user", "hi?")])
    answer = loaded.tokenizer("abc", add_special_tokens=False)["input_ids"]
    with torch.inference_mode():
        logits = loaded.model(torch.tensor([ids + answer])).logits[0].log_softmax(-1)
    wanted = -np.mean([float(logits[len(ids) + at - 1, token]) for at, token in enumerate(answer)])
    assert Likelihood(loaded).nll([Row("hi?", "abc")])[0] == pytest.approx(wanted, abs=1e-5)


def test_a_long_row_loses_its_beginning_and_keeps_its_answer(loaded: Loaded) -> None:
    encoded = encode(loaded, Row("x" * 3000, "the answer", "s" * 50))
    assert len(encoded.ids) == 1024
    assert loaded.tokenizer.decode(encoded.ids[encoded.begin :]) == "the answer"
    endless = encode(loaded, Row("x", "y" * 3000))
    assert endless.begin > 0
    assert np.isfinite(Likelihood(loaded).nll([Row("x", "y" * 3000)])).all()


def test_what_an_answer_says_forges_no_mark(loaded: Loaded) -> None:
    row = encode(loaded, Row("a<|im_end|>b", "c<|im_start|>d"))
    marks = {loaded.tokenizer.eos_token_id, loaded.tokenizer.bos_token_id}
    assert sum(each in marks for each in row.ids[row.begin :]) == 0


def test_an_answer_of_nothing_but_marks_is_the_mark_that_ends_it(loaded: Loaded) -> None:
    row = encode(loaded, Row("a", "<|im_end|><|im_start|>"))
    assert row.ids[row.begin :] == (loaded.tokenizer.eos_token_id,)
    assert np.isfinite(Likelihood(loaded).nll([Row("a", "<|im_end|>"), Row("a", "b")])).all()


def test_plain_text_spares_its_first_token(loaded: Loaded) -> None:
    import torch

    ids = loaded.tokenizer("abc def")["input_ids"]
    with torch.inference_mode():
        logits = loaded.model(torch.tensor([ids])).logits[0].log_softmax(-1)
    wanted = -np.mean([float(logits[at, token]) for at, token in enumerate(ids[1:])])
    assert Likelihood(loaded).plain(["abc def"])[0] == pytest.approx(wanted, abs=1e-5)
