"""Whose words a turn holds, decided when it is written.

What enters: a turn, and what the caller says of it. What leaves: a trust tier, kept with the episode for good; the text
without what memoria itself had put into the prompt; and whether a text gives orders that no memory should pass on.
"""

from __future__ import annotations

import re
import unicodedata
from html import unescape

from memoria.errors import InvalidInput
from memoria.records import TRUSTS, Trust, Turn


def trust_of(turn: Turn, given: Trust | None) -> Trust:
    """The caller's word where given, else the turn's role. Raises `InvalidInput` for a tier that there is not."""
    if given is None:
        return turn.role
    if given not in TRUSTS:
        raise InvalidInput(f"trust {given!r} is none of {', '.join(TRUSTS)}; give one of these, or leave it out.")
    return given


OPENING, CLOSING = "<memoria>", "</memoria>"  # what recall renders stands between these
_MARKED = re.compile(rf"\s*{OPENING}.*?(?:{CLOSING}|\Z)", re.DOTALL)
_RENDERED_LINE = re.compile(
    r"^[ \t>*-]*\[(?:\d{1,3}\] \d{4}-\d\d-\d\d [^\n:]{1,80}: |b\d{1,3}\] \S[^\n]* \((?:since|until|from|always|retracted|\d{4}))[^\n]*\n?",
    re.MULTILINE,
)


def without_echo(text: str) -> str:
    """`text` without what `Context.render` had put into the prompt it comes from: no memory is made of a memory."""
    if OPENING not in text and "[" not in text:
        return text
    cleaned = _RENDERED_LINE.sub("", _MARKED.sub("", text))
    return cleaned.strip() if cleaned != text else text


_HOMOGLYPHS = str.maketrans(
    "аеорсухіѕԁӏԛԝАВЕКМНОРСТХІЅοαερικντυΑΒΕΗΙΚΜΝΟΡΤΥΧＡ", "aeopcyxisdlqwABEKMHOPCTXISoaepikvtuABEHIKMNOPTYXA"
)
_INVISIBLE = re.compile(
    r"[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\U000e0000-\U000e007f]"
)
_FORGED = re.compile(
    r"(?:ignore|disregard|forget|override|overwrite|bypass|drop)[\w\s,']{0,40}\b(?:instructions?|rules?|prompts?|guidelines?|memor(?:y|ies)|context|directions?|said|above|previous(?:ly)?|prior|policy|constraints?)"
    r"|<\|?\s*/?\s*(?:im_start|im_end|system|user|assistant|endoftext|eot|start_header|end_header|begin_of_text|human|instructions?|memory|memoria|tool|s)\b[^>]*>|\[/?(?:inst|system|sys|user|memory|admin)\b[^\]]*\]|<<\s*/?sys\s*>>|^\s*#{1,6}\s*(?:system|instructions?|assistant|user|human|memory|new (?:rule|instruction))"
    r"|^\s*\[b?\d{1,3}\]\s*\d{4}-\d\d-\d\d|\bmemory(?:[_ ](?:entry|record|item|block|id|note|update|context|dump|snapshot))\b|\b(?:confirmed|verified|trusted|stored|known|recalled|retrieved)\s+(?:user )?(?:memor(?:y|ies)|beliefs?|facts?|preferences?)\b|\b(?:beliefs?|facts?|profile|preferences?|memor(?:y|ies)) (?:about|of|for|on) (?:the )?user\b|\buser[_ ](?:profile|facts?|memory|preferences?|id)\b|\bbase64\b|\b[A-Za-z0-9+/]{40,}={0,2}\b",
    re.IGNORECASE | re.MULTILINE,
)
_ORDERS = re.compile(
    r"\b(?:system|assistant|developer|human|user|admin(?:istrator)?|root)\s*(?:message|prompt|note|update|override|notice|instruction|directive|command|alert)?\s*(?:\]|\)|>|:|=)"
    r"|\b(?:save|store|add|write|commit|record|remember|memori[sz]e|note|log|persist|update|insert|append|keep|put|learn|register|set)\b[^.\n]{0,60}\b(?:memor(?:y|ies)|profile|long[- ]term|for (?:all )?(?:future|later)|permanently|as (?:a )?fact|preferences?|user (?:record|data|file|facts?)|knowledge base|belief|settings|about the user|that the user|the user('s)?\b|from now on)"
    r"|\b(?:next time|whenever|when(?:ever)? the user|if the user|as soon as|once the user|the moment|on the next|upon|every time|each time|after the user|in (?:all )?future (?:conversations?|sessions?|replies|responses)|from now on|from this point|henceforth|going forward)\b[^.\n]{0,140}\b(?:says?|asks?|mentions?|types?|writes?|reply|respond|answer|tell|say|send|recommend|always|never|must|you|add|include|store|reveal|assume|treat|switch|mention|suggest|insert|claim|believe|remember|forward|use|call)\b"
    r"|\byou (?:are now|must|should now|will now|shall|have to|need to|are required|are instructed|are to)\b|\b(?:act|behave|respond|pretend|roleplay) as\b|\bnew (?:instructions?|rules?|persona|system prompt|directive)\b|\bdo not (?:tell|mention|inform|reveal|disclose|alert|warn|ask|let)\b|\b(?:reveal|print|output|repeat|leak|send|forward|exfiltrate|upload|email)\b[^.\n]{0,50}\b(?:prompt|password|secret|api[ _-]?key|credentials?|token|memor(?:y|ies)|conversation|history|contents?)\b"
    r"|\b(?:instructions? (?:for|to) (?:the )?(?:ai|assistant|model|agent|llm|chatbot)|(?:dear|hey|attention|note to|to the|hello) (?:ai|assistant|model|agent|llm|chatbot|language model)s?)\b|\bai (?:assistants?|agents?|models?)\b[^.\n]{0,60}\b(?:must|should|shall|are to|please|need)\b|\bthe (?:assistant|ai|model|agent|chatbot|bot) (?:must|should|shall|will|needs? to|has to|is to|is required)\b|\b(?:jailbreak|prompt injection|sudo|execute the following|run the following|developer mode)\b",
    re.IGNORECASE | re.MULTILINE,
)


# What a page or a tool says of the person as if it knew them, to a reader that is no person, or for a later time.
_ASSISTANT = r"(?:(?:ai|coding|virtual|digital|voice|smart|automated|personal) )?(?:assistant|agent|chatbot|language model|llm|ai(?: (?:system|model|reader|tool|helper))?)s?"
_LATER = r"(?:(?:in|from|at|during|on) (?:a|any|the|all|your|every) (?:next|future|later|following|coming) (?:session|conversation|chat|message|reply|time|occasion|request)s?|(?:every|each|any) (?:single )?time\b|across (?:all )?sessions)"
_OF_THE_PERSON = re.compile(
    r"\b(?:the|this|our|current) (?:current )?user(?:'s)? (?:(?:really|also|now|always|never|already|only|currently|strongly|told me|said) )*(?:that |he |she |they )?(?:lives?|loves?|likes?|hates?|dislikes?|prefers?|enjoys?|works?|owns?|trusts?|approves?|allows?|consents?|agrees?|adopted|moved|married|is (?:an? |\d+|the owner|called|named|from|married|allergic|vegan|vegetarian|retired|in |left|right)|was born|has (?:an? |chosen|decided|agreed|already)|hobby|hobbies|name|age|job|boss|employer|home|address|wife|husband|partner|birthday|diet|told (?:me|us)|asked (?:me|us)|wants? (?:an? |no |only |to be ))"
    r"|\buser (?:prefers|likes|loves|hates|dislikes|lives in|was born|is from|works at|owns|wants|preference)\b|\buser[._](?:preference|name|age|location|diet)\b|\b(?:profile|data|preferences|record) of the (?:current |present )?user\b|\bcurrent user\b"
    r"|\b(?:conversation|session|chat|dialogue) (?:summary|memory|transcript|digest)\b|\bthe (?:reader|customer|patient|person|client) (?:you (?:talk|speak|chat|work) (?:with|to)|reading this)\b",
    re.IGNORECASE,
)
_TO_A_MACHINE = re.compile(
    rf"\b(?:if|when|should|as) (?:you are |you're |you )?(?:an?|any|the|\w+'s) {_ASSISTANT}\b|\b(?:tips?|notes?|message|hint|attention|instructions?|advice|information) (?:for|to) (?:(?:an?|any|all|the) )?{_ASSISTANT}\b|\b{_ASSISTANT} (?:reading|processing|summari[sz]ing|parsing|that (?:reads?|process|summar))"
    rf"|\b{_ASSISTANT}\b[^.\n]{{0,100}}\b(?:should|must|shall|will start|is to|are to|be asked|please|remember|write down|tell the)\b|\b(?:automated|automatic|machine|ai)[- ](?:generated )?(?:summar(?:y|ies)|repl(?:y|ies)|response|reader|digest|translation)s?\b[^.\n]{{0,80}}\b(?:shall|must|should|will)\b"
    r"|\b(?:remind|tell|inform|convince|persuade|assure) (?:the )?(?:user|reader|person|customer|human)\b|(?:^|[.!?;:,\"“(>]\s*|\bplease |\bto )(?:always|never|do not|don't|only) (?:ever )?(?:recommend|suggest|offer|propose|answer|reply|respond|mention)\b"
    r"|\b(?:overrid|replac|supersed|overwrit|eras|delet)\w*\b[^.\n]{0,40}\b(?:stored|earlier|previous|prior|existing|saved|remembered|known)\b[^.\n]{0,30}\b(?:preference|setting|memor|instruction|belief|fact|note|rule)"
    rf"|\b{_LATER}[^.\n]{{0,140}}\b(?:say|says|recommend|remind|mention|answer|reply|respond|bring up|tell|offer|assume|claim|suggest|remember|call|calling)\b"
    r"|^\W*\W?role\W{1,4}(?:system|developer|assistant|user|tool)\b|\"role\"\s*:\s*\"(?:system|developer|assistant|user)\"|<!--\s*(?:memory|system|instructions?|prompt|assistant|ai)\b"
    r"|\b(?:send|give|tell|email|mail|forward|post|share)\b[^.\n]{0,40}\b(?:user|person|customer|client)'?s?\b[^.\n]{0,30}\b(?:address|location|phone|number|email|data|name|contacts?)\b",
    re.IGNORECASE | re.MULTILINE,
)
_LEET = str.maketrans("013457@$", "oieastas")
_MIXED = re.compile(r"\b(?=\w*[a-z])(?=\w*\d)[a-z0-9]+\b", re.IGNORECASE)


def _plainly(text: str) -> str:
    """`text` as it is meant to be read: entities resolved, marks and hidden letters off, look-alikes replaced."""
    spelt = unicodedata.normalize("NFKD", _INVISIBLE.sub("", unescape(text)))
    plain = "".join(letter for letter in spelt if not unicodedata.combining(letter)).translate(_HOMOGLYPHS)
    return _MIXED.sub(lambda word: word.group().translate(_LEET), plain)


def gives_orders(text: str, trust: Trust) -> bool:
    """Whether `text` reads like orders to an assistant or like a forged memory, look-alike letters and hidden ones seen
    through. The person's own words never do; of an assistant's only what no assistant would say by itself; of anything
    else, too strict is the safe side."""
    if trust == "user":
        return False
    plain = unicodedata.normalize("NFKC", _INVISIBLE.sub("", text)).translate(_HOMOGLYPHS)
    if _FORGED.search(plain):
        return True
    if trust == "assistant":
        return False
    meant = _plainly(text)
    rules = (_ORDERS, _OF_THE_PERSON, _TO_A_MACHINE)
    return bool(_INVISIBLE.search(text)) or any(rule.search(each) for each in (plain, meant) for rule in rules)
