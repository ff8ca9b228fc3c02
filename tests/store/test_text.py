"""Terms: what lexical search counts, in every script."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memoria.store.text import STOP_WORDS, fold, terms


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The dogs were running", ["dog", "run"]),
        ("Don't STOP", ["stop"]),
        ("我喜欢茶", ["我喜", "喜欢", "欢茶"]),
        ("茶", ["茶"]),
        ("ｆｕｌｌ ｗｉｄｔｈ", ["full", "width"]),
        ("Straße STRASSE", ["strass", "strass"]),
        ("東京 tower", ["東京", "tower"]),
        ("ฉันรัก", ["ฉั", "ัน", "นร", "รั", "ัก"]),
        ("2025-06-14", ["2025", "06", "14"]),
        ("the of and", []),
        ("", []),
    ],
)
def test_terms(text: str, expected: list[str]) -> None:
    assert terms(text) == expected


@given(st.text())
def test_terms_hold_no_separators_and_do_not_depend_on_case_form(text: str) -> None:
    found = terms(text)
    assert all(term and not term.isspace() and " " not in term for term in found)
    assert terms(fold(text)) == found


def test_stop_words_are_folded() -> None:
    assert all(fold(word) == word for word in STOP_WORDS)
