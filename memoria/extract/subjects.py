"""Whom a clause is about.

What enters: a clause, and whom the turn spoke of before. What leaves: the clause with contractions written out, its
subject as a mention ("user", "Anna", "user's sister") and the verb phrase. First person is the speaker; "my sister" is
the speaker's; "she" is the person named last in the turn; a clause without a subject keeps the one before it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache

from memoria.extract.ontology import Ontology

NAME = (
    r"(?-i:(?:(?:Dr|Mr|Mrs|Ms|Prof|Aunt|Uncle|Coach|Sir|St)\.?\s+)?[A-ZÀ-ÖØ-Þ][\w'’.-]*(?:\s+(?:de|van|von|la|el|bin|al|da|dos|der|O')(?=\s+[A-Z]))?"
    r"(?:\s+[A-ZÀ-ÖØ-Þ][\w'’-]*){0,2})"
)
ADJECTIVE = (
    r"(?:new|old|little|younger|older|big|twin|late|eldest|oldest|youngest|middle|dear|lovely|close|good|former|current|first|second|other|only|own|elderly|teenage|baby|poor"
    r"|\d+[- ]year[- ]old|long[- ]time|childhood|college|school|work|rescue|next[- ]door|downstairs|upstairs|step|then)"
)
_EXPANSIONS = (
    (r"\bi'm\b", "I am"),
    (r"(?-i:\bim\b)", "I am"),
    (
        r"\b((?:dad|mom|mum|sister|brother|wife|husband|partner|girlfriend|boyfriend|son|daughter|friend|manager|boss|landlord|dentist|doctor|vet|dog|cat|mother|father|teacher|coach))s "
        r"(?=(?:name|birthday|bday|age|phone|e-?mail|number|address|job|favou?rite|school|car|flat|house|wedding|surname|new)\b)",
        r"\1's ",
    ),
    (r"(?-i:\bive\b)", "I have"),
    (
        r"(?-i:\b(thats|hes|shes|its|whos)\b(?= (?:my|our|a|an|the|called|named|now|at|in|on|not|from|been|allergic|\d|[A-Z])))",
        r"\1 is",
    ),
    (r"\b(that|he|she|it|who)s is\b", r"\1 is"),
    (r"\bi've\b", "I have"),
    (r"\bi'd (?:now |really |much |still )?(?=rather|prefer|like|love)", "I would "),
    (r"\bi'd\b", "I had"),
    (r"\bi'll\b", "I will"),
    (r"\b(we|they|you)'re\b", r"\1 are"),
    (r"\b(we|they|you)'ve\b", r"\1 have"),
    (r"\b(we|they|you)'ll\b", r"\1 will"),
    (r"\b(she|he|it|that|there|who|here)'s\b", r"\1 is"),
    (r"\bcan't\b|\bcannot\b|\bcant\b", "can not"),
    (r"\bwon't\b", "will not"),
    (r"\b(do|does|did|is|was|have|has|would)nt\b", r"\1 not"),
    (r"\b(do|does|did|is|are|was|were|have|has|had|would|could|should)n't\b", r"\1 not"),
    (
        r"\b(\w+)'s (?=(?:an?|the|my|our|called|named|allergic|not|now|moving|working|living|getting|turning|in|at|from|been|going|studying|vegan|vegetarian|really|so)\b)",
        r"\1 is ",
    ),
    (r"\bname's\b", "name is"),
    (r"\b(have|has) got (?=(?:an?|the|my|our|some|two|three|four|no|\d|another|one)\b)", r"\1 "),
)
_EXPAND = [(re.compile(pattern, re.IGNORECASE), new) for pattern, new in _EXPANSIONS]
_LEAD = re.compile(
    r"^(?:(?:well|oh|so|and|but|also|actually|btw|by the way|anyway|anyways|hey|hi|hello|yes|yeah|yep|no(?=\s*[,:!.…-]|\s+(?:i|my|we|our|it|he|she|that|actually|sorry)\b)|nope|nah|ok|okay|sure|thanks|thank you|sorry|apologies|correction|(?:i )?(?:need|have|want) to correct (?:something|myself|that|one thing|a mistake)|(?:i )?made a mistake(?: earlier| before)?|(?:a )?quick correction|i (?:typed|said|wrote|spelt|spelled|got) (?:it|that) wrong(?: \w+){0,4}?|my (?:wife|husband|partner|mother|friend|son|daughter|sister|brother) (?:laughed at|corrected|reminded) me|small correction|update|quick update|note|fyi"
    r"|honestly|to be honest|tbh|just so you know|for the record|for context|as you know|remember(?: that)?|please|you should know(?: that)?|you can note(?: that)?|note(?: that)?|i'd like you to know(?: that)?|let me tell you(?: that)?|about me|a (?:little|bit) about (?:me|myself)|as for (?:me|\w+)|update for you|one wish|a note on \w+|(?:please )?(?:remember|note|save|keep in mind|know)(?: that| this)?|keep in mind(?: that)?|don't forget(?: that)?"
    r"|i (?:should|wanted to|want to|need to|have to|ought to|must|just wanted to)(?: also)? (?:mention|say|tell you|add|let you know|correct myself|note|admit|confess|point out)(?: that)?"
    r"|i (?:think|guess|believe|mean|mentioned|forgot to (?:mention|say|tell you))(?: that)?(?= (?:i|my|we|our|he|she)\b)|did i mention(?: that)?|good news|bad news|big news|some news|news|guess what|(?:it )?turns out(?: that)?|these days|nowadays|right now"
    r"|currently|recently|lately|(?:earlier )?(?:last|this|next) \w+|yesterday|today|tonight|as of \w+(?: \w+)?|since (?:last|this|the) \w+|since \w+(?: \d{4})?|in \d{4}|in \w+(?= (?:i|we|my)\b)|unfortunately|sadly|luckily|finally|fun fact|quick (?:note|question|one)|one more thing|another thing"
    r"|important(?: note)?|note (?:for|to) (?:the future|self|you)|for (?:the future|future reference|what it's worth)|a? ?heads[- ]up|ps|p\.s\.?|now|still|then|after all(?: that)?|in fact|personally|speaking of \w+|about (?:that|me)|wait|scratch that|my bad|my mistake|ugh|wow|hmm+|haha|ah|aw|yay"
    r"|i am (?:sad|sorry|happy|glad|pleased|delighted|afraid|proud) to (?:say|report|tell you|announce)(?: that)?|at the moment|at home|at the office|at work|for years|all my life|growing up|as a (?:kid|child|rule|\w+)|in general|generally|normally|usually|also fwiw|fwiw|though|because|since|while|when it comes to [\w ]+?|for (?:breakfast|lunch|dinner|my \w+|work|exercise|fun)|from now on|just|even|not gonna lie|ngl|believe it or not|one thing|by now|as it happens)"
    r"(?:\s*[,:!.…-]+\s*|\s+(?=\S)))+",
    re.IGNORECASE,
)
# "dad was born in May", "the landlord is Mr. Hale": one's own, though nobody says so.
_UNOWNED = re.compile(
    r"^(?:(?=(?:dad|mom|mum|mama|papa|grandma|grandpa|nan|gran|granny)(?:'s)? )|the (?=(?:landlord|landlady|boss|manager|vet|dentist|babysitter|nanny|dog|cat)(?:'s name)? (?:is|was|has)\b))",
    re.IGNORECASE,
)
_APPOSED = re.compile(rf"^({NAME}), (?:my|our) [\w -]{{2,20}}, ")
_ELIDED = re.compile(
    r"^(?:(?:just|finally|recently|now|also|have|never|always|only|still|currently)\s+)*(?P<verb>moved|got|started|switched|bought|quit|sold|adopted|finished|joined|landed|became|turned|signed|gave|stopped|broke|left|lost|ended|cancell?ed|dropped|went|took|changed|ditched"
    r"|married|retired|upgraded|love|loved|hate|hated|can not|cannot|prefer|dislike|avoid|enjoy|like(?! (?:an?|the|i|my|that|this|it|you|so|what|how|always)\b)|adopted|relocated|resigned|accepted|tried|picked|lived|worked|live|work|works|lives|plays|loves|hates|has|is|was|am|have|had|speak|speaks|take|takes|do not|does not|go|goes|used to|no longer|never|visited|found|settled|promoted|divorced|want|refuse|will not|drive|drives|study|studies|teach|teaches|need|eat|wear)\b",
    re.IGNORECASE,
)
_PARTICIPLE = re.compile(
    r"^(?:(?:now|currently|also|still|just)\s+)*(?:living|working|learning|dating|studying|training|moving|allergic|engaged|based|vegan|vegetarian|loving|reading|watching|driving|taking|going to)\b",
    re.IGNORECASE,
)
_FIRST = re.compile(
    r"^(?:i|we|both of us|me and [\w ]+?|my \w+ and i|\w+ and i|us two)\s+(?P<vp>.+)$", re.IGNORECASE | re.DOTALL
)
_OWN = re.compile(r"^(?P<owner>my|our|his|her|their)\s+(?P<rest>.+)$", re.IGNORECASE | re.DOTALL)
_THIRD = re.compile(r"^(?P<pronoun>she|he|they|it)\s+(?P<vp>.+)$", re.IGNORECASE | re.DOTALL)
_NAMED = re.compile(rf"^(?P<name>{NAME})(?P<owns>'s)?\s+(?P<vp>.+)$", re.DOTALL)
NOT_NAMES = frozenset(
    "i the a an this that it there here what when where who how why yes no ok so and but if my our your his her their we you she he they some every each all any most many do does did is are was were have has had".split()
    + "can could should would will may might must please thanks thank hello hi hey not now then also actually maybe perhaps just once since because after before during in on at to for from with of by as about today yesterday tomorrow".split()
    + "monday tuesday wednesday thursday friday saturday sunday january february march april june july august september october november december one two three write give tell show make let find get help use try name list keep stick stop skip drop avoid switch".split()
)
_VERB = r"(?:attends?|is|are|was|were|am|will be|has been|have been|has|have|had|works?|worked|lives?|lived|loves?|likes?|hates?|plays?|speaks?|moved|moves|got|gets|started|starts|teaches|taught|studies|studied|goes|went|drives?|joined|owns?|takes?|became|turned|turns|runs?|does|can|quit|left|lost|passed away|died|retired|married|adopted|bought|just|now|recently|still|also|no longer|never|really|does not|do not|did not|can not|stopped|used to|changed|broke|ended|fell|falls|meets?|costs?|ends?|closed|prefers?|enjoys?|came|comes|grew|volunteers|visited|called|wants?|needs?|uses|finally|always|usually|said|says|told|thinks|made|makes|gave|suggested|recommended|collects|keeps|bakes|works|suffers|avoids|found|landed|accepted|graduated|proposed|switched|sold|cancell?ed)"


@dataclass
class Spoken:
    """Whom a turn has spoken of so far. `attribute` is (owner, noun) of the last thing said to be somebody's, `topic`
    what a taste was last spoken of."""

    speaker: str
    person: str | None = None
    subject: str | None = None
    attribute: tuple[str, str] | None = None
    topic: str | None = None
    matter: str | None = None  # what was said to have changed, or to have been told wrong


@dataclass(frozen=True)
class About:
    """A clause read for its subject. `noun` is set where the subject is an attribute: "my phone number" is ...

    `relation` says that `subject` stands in it to `owner`, and `named` that the clause gives the name.
    """

    subject: str
    phrase: str
    noun: str | None = None
    owner: str | None = None
    relation: str | None = None
    named: str | None = None
    aliases: tuple[tuple[str, str], ...] = field(default=())


def expand(text: str) -> str:
    """`text` with contractions written out and what leads up to the statement taken off."""
    for pattern, new in _EXPAND:
        text = pattern.sub(new, text)
    text = _LEAD.sub("", text, count=1) if _LEAD.match(text) else text
    return _APPOSED.sub(r"\1 ", _UNOWNED.sub("my ", text))


def read_subject(text: str, spoken: Spoken, ontology: Ontology) -> About | None:
    """Whom the expanded clause `text` is about; None where that cannot be told. Updates `spoken`."""
    about = _read(text, spoken, ontology)
    if about is not None:
        spoken.subject = about.subject
        if about.noun is not None:
            spoken.attribute = (about.subject, about.noun)
        elif about.subject != spoken.speaker:
            spoken.person = about.named or about.subject
    return about


def mention_of(owner: str, relation: str) -> str:
    """How somebody without a name is mentioned."""
    return f"{owner}'s {relation}"


def _read(text: str, spoken: Spoken, ontology: Ontology) -> About | None:
    first = _FIRST.match(text)
    if first:
        return About(spoken.speaker, first.group("vp"))
    if text.lower().startswith("call me "):
        return About(spoken.speaker, "go by " + text[8:])
    own = _OWN.match(text)
    if own:
        word = own.group("owner").lower()
        owner = spoken.speaker if word in ("my", "our") else spoken.person
        return _owned(owner, own.group("rest"), ontology) if owner else None
    third = _THIRD.match(text)
    if third:
        return _pronoun(third.group("pronoun").lower(), third.group("vp"), spoken)
    if _ELIDED.match(text):
        return About(spoken.subject or spoken.speaker, text)
    if _PARTICIPLE.match(text):
        return About(spoken.subject or spoken.speaker, "am " + text)
    named = _NAMED.match(text)
    if named and named.group("name").split()[0].casefold() not in NOT_NAMES:
        name = named.group("name")
        if name.endswith(("'s", "’s")):
            name, possessive = name[:-2], True
        else:
            possessive = bool(named.group("owns"))
        return _owned(name, named.group("vp"), ontology) if possessive else About(name, named.group("vp"))
    return None


def _pronoun(pronoun: str, phrase: str, spoken: Spoken) -> About | None:
    if pronoun == "it":
        if spoken.attribute is None:
            return None
        owner, noun = spoken.attribute
        return About(owner, phrase, noun=noun)
    return About(spoken.person, phrase) if spoken.person else None


@lru_cache(maxsize=8)
def _head(relations: tuple[str, ...]) -> re.Pattern[str]:
    """A relation at the head of a subject, with the name that goes with it."""
    nouns = "|".join(sorted(map(re.escape, relations), key=len, reverse=True))
    return re.compile(
        rf"^(?:{ADJECTIVE}\s+)*(?P<rel>{nouns})(?P<plural>s)?\b(?:\s+(?:from|at|in|of)\s+[\w ]+?(?=,|\s+{NAME}))?(?:,?\s+(?:named\s+|called\s+)?(?P<name>{NAME})\b,?)?(?P<owns>'s?)?\s+(?P<rest>.+)$",
        re.IGNORECASE | re.DOTALL,
    )


def _owned(owner: str, rest: str, ontology: Ontology) -> About | None:
    """ "sister's name is Carla", "best friend Tom works at ...", "favourite colour is green" of `owner`."""
    match = _head(tuple(ontology.relations)).match(rest)
    if match and not (match.group("plural") and not match.group("owns")):
        noun = match.group("rel").lower()
        relation = ontology.relations[noun]
        name = match.group("name")
        owns = bool(match.group("owns"))
        if name and name.endswith(("'s", "’s")):
            name, owns = name[:-2], True
        person = name or mention_of(owner, relation)
        if owns and not re.match(rf"{_VERB}\b", match.group("rest")):
            inner = _owned(person, match.group("rest"), ontology)
            if inner is None:
                return None
            given = (*inner.aliases, *(((mention_of(owner, relation), name),) if name else ()))
            kept = inner.owner or owner, inner.relation or relation
            return About(inner.subject, inner.phrase, inner.noun, *kept, named=inner.named or name, aliases=given)
        if re.match(rf"(?:\w+ly\s+)?{_VERB}\b", match.group("rest"), re.IGNORECASE):
            return About(
                person,
                match.group("rest"),
                None,
                owner,
                relation,
                name,
                ((mention_of(owner, relation), name),) if name else (),
            )
    attribute = re.match(
        rf"^(?P<noun>[\w' -]{{2,40}}?)(?<! at)(?<! in)(?<! on)(?<! of)(?<! for)\s+(?P<vp>(?:{_VERB})\b.+)$",
        rest,
        re.IGNORECASE | re.DOTALL,
    )
    if attribute is None:
        return None
    return About(owner, attribute.group("vp"), noun=attribute.group("noun").lower().strip())
