"""Checks of searching by a query, for stores with an index.

What enters: a trial of a store that searches the given fields. What leaves: `Difference`s. Nothing is asked of scores
but that they fall, and that the very words of the query come first: so any embedding model will do that tells texts
without a common word apart.
"""

from __future__ import annotations

from typing import Any

from langgraph.store.base import PutOp, SearchItem

from memoria.integrations.conformance.trial import Trial, equal, expect, keys

TEXTS = {
    "bees": "honeybees swarm around wooden hives",
    "tax": "quarterly taxation forms confuse everybody",
    "sail": "catamarans race before strong winds",
    "bread": "sourdough needs patient kneading overnight",
    "moon": "lunar craters fascinate young astronomers",
}
OTHER = "completely unrelated murmuring placeholder"


def _fill(trial: Trial, field: str = "text") -> None:
    for key, text in TEXTS.items():
        trial.store.put(("docs", key), key, {field: text})


def _scored(found: list[SearchItem]) -> list[float]:
    scores = [item.score for item in found if item.score is not None]
    expect(len(scores) == len(found), "an item has no score.")
    expect(scores == sorted(scores, reverse=True), f"the scores do not fall: {scores}")
    return scores


def the_same_words_come_first(trial: Trial) -> None:
    """With falling scores, and all other items behind."""
    _fill(trial)
    for key, text in TEXTS.items():
        found = trial.store.search(("docs",), query=text)
        equal(keys(found)[0], key, f"the best for {text!r}")
        equal(set(keys(found)), set(TEXTS), "all found")
        _scored(found)


def a_query_stays_below_its_prefix(trial: Trial) -> None:
    """However well an item elsewhere fits."""
    _fill(trial)
    equal(keys(trial.store.search(("docs", "tax"), query=TEXTS["bees"])), ["tax"], "what was found")
    equal(keys(trial.store.search(("nowhere",), query=TEXTS["bees"])), [], "what was found")


def filters_hold_with_a_query(trial: Trial) -> None:
    """Only what passes is found, the best of it first."""
    for number, (key, text) in enumerate(TEXTS.items()):
        trial.store.put(("docs",), key, {"text": text, "n": number, "odd": number % 2 == 1})
    found = trial.store.search(("docs",), query=TEXTS["bread"], filter={"odd": True})
    equal((keys(found)[0], set(keys(found))), ("bread", {"tax", "bread"}), "what was found")
    equal(keys(trial.store.search(("docs",), query=TEXTS["bees"], filter={"n": {"$gt": 0}}, limit=0)), [], "no items")


def pages_of_a_ranking_tile(trial: Trial) -> None:
    """One after the other they are the whole ranking."""
    _fill(trial)
    whole = keys(trial.store.search(("docs",), query=TEXTS["moon"], limit=100))
    pages = [trial.store.search(("docs",), query=TEXTS["moon"], limit=2, offset=start) for start in (0, 2, 4)]
    equal([key for page in pages for key in keys(page)], whole, "the pages together")
    equal(keys(trial.store.search(("docs",), query=TEXTS["moon"], offset=5)), [], "what lies behind the last")


def new_words_are_found_and_old_are_not(trial: Trial) -> None:
    """After an item was replaced, and after it was deleted."""
    _fill(trial)
    trial.store.put(("docs", "tax"), "tax", {"text": OTHER})
    equal(keys(trial.store.search(("docs",), query=OTHER))[0], "tax", "the best for the new words")
    old = next(item.score for item in trial.store.search(("docs",), query=TEXTS["tax"]) if item.key == "tax")
    same = next(item.score for item in trial.store.search(("docs",), query=TEXTS["bees"]) if item.key == "bees")
    assert old is not None
    assert same is not None
    expect(old < same, "an item is still found by words that it holds no more.")
    trial.store.delete(("docs", "bees"), "bees")
    expect("bees" not in keys(trial.store.search(("docs",), query=TEXTS["bees"])), "a deleted item is found.")


def what_is_not_indexed_is_found_last(trial: Trial) -> None:
    """With index=False: got as ever, found without a score behind those that have one, and where there is room."""
    _fill(trial)
    trial.store.put(("docs",), "hidden", {"text": TEXTS["bees"]}, index=False)
    found = trial.store.search(("docs",), query=TEXTS["bees"])
    equal((keys(found)[0], keys(found)[-1], found[-1].score), ("bees", "hidden", None), "what was found")
    _scored(found[:-1])
    equal(len(trial.store.search(("docs",), query=TEXTS["bees"], limit=5)), 5, "the number of items")
    expect(trial.store.get(("docs",), "hidden") is not None, "an item that is not indexed is not there.")


def a_put_may_name_its_fields(trial: Trial) -> None:
    """Paths into the value: nested, of an array's elements, each by itself; a missing one is passed over."""
    value: dict[str, Any] = {
        "title": {"long": TEXTS["bees"]},
        "parts": [{"text": TEXTS["tax"]}, {"text": TEXTS["sail"]}],
        "text": TEXTS["moon"],
    }
    paths = {"title.long": ["bees"], "parts[*].text": ["tax", "sail"], "parts[0].text": ["tax"], "missing": []}
    for number, (path, wanted) in enumerate(paths.items()):
        place = ("docs", str(number))
        trial.store.put(place, "k", value, index=[path])
        scores = {key: trial.store.search(place, query=TEXTS[key])[0].score or 0.0 for key in TEXTS}
        found = {key for key, score in scores.items() if score > max(scores.values()) / 2}
        equal(found, set(wanted), f"the words found by the path {path}")


def only_the_stores_fields_are_searched(trial: Trial) -> None:
    """Those it was made with; of an item that has none of them, nothing."""
    trial.store.put(("docs",), "title", {"title": TEXTS["bees"], "body": TEXTS["tax"]})
    trial.store.put(("docs",), "body", {"title": OTHER, "body": TEXTS["bees"]})
    trial.store.put(("docs",), "neither", {"body": TEXTS["bees"]})
    found = trial.store.search(("docs",), query=TEXTS["bees"])
    equal((keys(found), found[2].score), (["title", "body", "neither"], None), "what was found")
    worse = trial.store.search(("docs",), query=TEXTS["tax"])[0].score
    assert found[0].score is not None
    assert worse is not None
    expect(worse < found[0].score, "a field that the store was not made to search was searched.")


def a_batch_may_hold_everything(trial: Trial) -> None:
    """Items with and without an index, put at once, are all found."""
    trial.store.batch(
        [PutOp(("docs",), key, {"text": text}, index=False if key == "tax" else None) for key, text in TEXTS.items()]
    )
    found = trial.store.search(("docs",), query=TEXTS["sail"])
    equal((keys(found)[0], found[-1].key, len(found)), ("sail", "tax", len(TEXTS)), "what was found")


WHOLE, TEXT, TITLE = ["$"], ["text"], ["title"]
CHECKS = (
    (WHOLE, the_same_words_come_first),
    (TEXT, a_query_stays_below_its_prefix),
    (TEXT, filters_hold_with_a_query),
    (TEXT, pages_of_a_ranking_tile),
    (TEXT, new_words_are_found_and_old_are_not),
    (TEXT, what_is_not_indexed_is_found_last),
    (TEXT, a_put_may_name_its_fields),
    (TITLE, only_the_stores_fields_are_searched),
    (TEXT, a_batch_may_hold_everything),
)
