"""An error as the history keeps it: its class and what it said, without secrets.

What enters: an exception. What leaves: two short texts. What it said is for whoever looks into the ledger; logs get the
class alone, since a message may quote somebody.
"""

from __future__ import annotations

import re

_MOST = 500  # characters
_SECRETS = (
    re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{8,}"),
    re.compile(
        r"(?i)\b([\w-]*(?:key|token|secret|password|passwd|credential|authorization)s?)(['\"]?\s*[=:]\s*['\"]?)[^\s'\",;&}]+"
    ),
    re.compile(r"(\w+://)[^/\s:@]+:[^/\s@]+@"),
    re.compile(r"\b(?:sk|pk|rk|gh[pousr]|hf|xox[abp]|glpat)[-_][\w-]{8,}"),
    re.compile(r"\bAKIA[0-9A-Z]{12,}"),
    re.compile(r"\beyJ[\w-]{8,}\.[\w-]+\.[\w-]+"),
)
_INSTEAD = (r"\1 ***", r"\1\2***", r"\1***@", "***", "***", "***")


def kind_of(error: BaseException) -> str:
    """The class of an error."""
    return type(error).__qualname__


def told(error: BaseException) -> str:
    """What an error said."""
    text = " ".join(str(error).split())
    for pattern, instead in zip(_SECRETS, _INSTEAD, strict=True):
        text = pattern.sub(instead, text)
    return text if len(text) <= _MOST else text[: _MOST - 1] + "…"
