"""The commands of reflection."""

from __future__ import annotations

import json
from collections.abc import Callable

Cli = Callable[..., tuple[int, str, str]]
OF = ("--user", "ana")


def test_reflect_and_profile(ana: Cli) -> None:
    code, _, err = ana("profile", *OF)
    assert (code, "memoria reflect --user ana" in err) == (2, True)
    code, shown, _ = ana("reflect", *OF)
    assert (code, shown.split(":")[0]) == (0, "Version 1 of the profile")
    assert "stays at version 1" in ana("reflect", *OF)[1]
    code, shown, _ = ana("profile", *OF, "--evidence")
    assert code == 0
    assert "user lives in Lisbon (since 2025-06-13)" in shown
    assert "“I moved to Lisbon.”" in shown
    assert "Porto" not in shown, "only what is so"
    profile = json.loads(ana("profile", *OF, "--json")[1])
    lines = [line for section in profile["sections"] for line in section["lines"]]
    assert all(line["belief_ids"] or line["episode_ids"] for line in lines)
    assert (profile["version"], profile["stale"]) == (1, False)


def test_what_changed_is_told(ana: Cli) -> None:
    ana("reflect", *OF)
    ana("believe", "home", "Sintra", *OF)
    shown = ana("profile", *OF)[1]
    assert "bring it up to date with: memoria reflect --user ana" in shown
    assert "Lisbon" not in shown, "what holds no more is not told as if it did"
    made = json.loads(ana("reflect", *OF, "--json")[1])
    assert (made["version"], made["changed"]) == (2, True)
    shown = ana("profile", *OF, "--diff", 1)[1]
    assert "- user lives in Lisbon" in shown
    assert "+ user lives in Sintra" in shown
    assert ana("profile", *OF, "--version", 1)[1].count("Lisbon") == 1, "an earlier version tells what it told"
    code, _, err = ana("profile", *OF, "--version", 9)
    assert (code, "there are 1 to 2" in err) == (2, True)
