"""Turning a statement round into the shape that the rules read.

What enters: a clause with its contractions written out ("Braga is where I live now"). What leaves: the same said of the
person first ("I live in Braga now"). One table of shapes, so that no other rule has to know of inversions.
"""

from __future__ import annotations

import re

_BE = r"(?:is|are|was|were|has become|became)"
_SOON = r"(?P<when>(?: (?:now|these days|nowadays|at the moment|currently|again|already))?)"
_PLACED = {"live": "in", "work": "at", "study": "at", "train": "at", "volunteer": "at", "bank": "with", "go": "to"}

# What comes before a statement and only says that it is one: "please keep it secret that I ...", "[note to self] my ...".
_FRAME = re.compile(
    r"^(?:\[[^\]]{1,30}\]\s*)?(?:(?!if\b)[^.?!]{0,70}?\b(?:in mind|know|forget|note|remember|secret|tell you|aware|mention|record) that\s+(?=(?:i|my|we|our)\b))?"
    r"(?:(?:starting|beginning|from|as of) (?:next|this|last) \w+,?\s+(?=(?:i|my|we|our)\b))?",
    re.IGNORECASE,
)
_SHAPES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), new)
    for pattern, new in (
        # the day first: "on Mondays I have a salsa class"
        (
            r"^(?P<when>(?:(?:on|every|each) (?:\w+ ){0,2}?(?:mon|tues|wednes|thurs|fri|satur|sun)days?(?: \w+(?:s\b|ing\b|noon\b|night\b))?|(?:mon|tues|wednes|thurs|fri|satur|sun)days|"
            r"in the (?:mornings?|evenings?|afternoons?)|at night|at weekends|on weekends|every (?:morning|evening|night|day|week|weekend|month|year|summer|winter)|on \d{1,2} \w+|twice a \w+|once a \w+)),? (?P<rest>(?:i|we|my|our)\b.+)$",
            r"\g<rest> \g<when>",
        ),
        # "I have lived in Oslo since 2019": it is so today
        (
            r"^(?P<who>i|we) have (?:been living|lived) (?P<rest>(?:in|at) .{2,60} (?:since|for) .+)$",
            r"\g<who> live \g<rest>",
        ),
        (
            r"^(?P<who>i|we) have (?:been working|worked) (?P<rest>(?:as|at|for|in) .{2,60} (?:since|for) .+)$",
            r"\g<who> work \g<rest>",
        ),
        # "for my blood pressure I take ramipril"
        (
            r"^(?:for|because of|due to) (?:my|an?|the) [\w' -]{3,40}?,? (?P<rest>i (?:take|am on|use|wear|go|do|have)\b.+)$",
            r"\g<rest>",
        ),
        # "Arabic is another language I speak", "vim is the editor I use"
        (
            rf"^(?P<what>[\w'’&.-]+(?: [\w'’&.-]+){{0,4}}?) {_BE} (?:also |now )?(?:an?|the|another|one|my|something|what|some)(?: [\w-]+){{0,4}}? (?:that |which )?i (?P<adv>(?:also|really|now|still|currently|simply|just) )?"
            r"(?P<verb>speak|play|take|use|drive|dislike|hate|love|like|enjoy|own|read|avoid|can not stand|do not like|do not eat|do not drink|subscribe to|belong to|work for|go to|study|teach|ride|eat|drink|write in|code in)(?P<rest>(?: .*)?)$",
            r"I \g<verb> \g<what>\g<rest>",
        ),
        (
            rf"^it {_BE} (?P<what>(?:an? |the )?[\w'’&. -]+?) that i (?:am|was) (?P<verb>\w+ing)\b(?P<rest>.*)$",
            r"I am \g<verb> \g<what>\g<rest>",
        ),
        (
            rf"^it {_BE} (?P<what>(?:an? |the )?[\w'’&. -]+?) that i (?P<verb>\w+)\b(?P<rest>.*)$",
            r"I \g<verb> \g<what>\g<rest>",
        ),
        (
            rf"^(?P<what>[\w'’&.-]+(?: [\w'’&.-]+){{0,3}}?) {_BE} (?:the|an?|my)(?: [\w-]+){{1,3}}? (?:that )?i am (?:currently |now )?(?P<verb>learning|reading|studying|watching|taking|restoring|writing|playing)\b(?P<rest>.*)$",
            r"I am \g<verb> \g<what>\g<rest>",
        ),
        (
            r"^the (?:company|firm|place|business|bank|gym|outfit) (?:that )?i (?:am (?:with|at)|work (?:for|at)) is (?P<what>(?-i:[A-Z]).+)$",
            r"I work at \g<what>",
        ),
        (r"^(?:i|we) (?:am|are) registered with (?P<what>(?:dr|doctor)\.? .+)$", r"my doctor is \g<what>"),
        (
            rf"^the (?:one|thing|[\w-]+) (?:that )?i am (?P<verb>\w+ing) {_BE} (?:actually |really )?(?P<what>.+)$",
            r"I am \g<verb> \g<what>",
        ),
        (
            rf"^(?:what|the (?:one|thing|[\w-]+)) (?:that )?i (?P<verb>drive|play|take|use|speak|study|teach|own) {_BE} (?P<what>.+)$",
            r"I \g<verb> \g<what>",
        ),
        (
            rf"^the (?:[\w-]+ ){{2,3}}(?:that )?i (?P<verb>drive|play|take|use|speak|study|teach|own) {_BE} (?P<what>.+)$",
            r"I \g<verb> \g<what>",
        ),
        (
            r"^(?P<what>(?:an? )?\w[\w' -]+?) is (?:now )?(?:my|our) (?:(?:new|current|official) )*(?:job(?: title)?|role|profession|occupation|line of work)\b.*$",
            r"my job is \g<what>",
        ),
        # no verb: "(I mean) my coworking space in Porto"
        (
            r"^my (?P<noun>\w+(?: \w+)?) (?P<at>in|at) (?P<what>(?-i:[A-Z])[\w'’-]*(?: (?-i:[A-Z])[\w'’-]*)?)$",
            r"my \g<noun> is \g<at> \g<what>",
        ),
        # what the assistant is to do from now on says what the person likes
        (
            r"^(?=.*\b(?:always|future|from now on)\b)[\w ,]{0,40}?\b(?:answer|reply to|respond to|write to|talk to|speak to) me (?P<how>(?:in|with|using) .+)$",
            r"I prefer answers \g<how>",
        ),
        (
            r"^(?:please )?never (?:suggest|recommend|offer|serve|propose) (?:me )?(?P<what>.+?)(?: to me)?$",
            r"I do not like \g<what>",
        ),
        (r"^(?:please )?(?:always|just) call me (?P<what>(?-i:[A-Z])[\w'’-]*)\b.*$", r"call me \g<what>"),
        (r"^i need (?:one|something) (?:with|that has) (?P<what>.+)$", r"I insist on \g<what>"),
        (
            r"^you are (?:now )?(?:talking|speaking|chatting) (?:to|with) (?P<what>an? .+)$",
            r"I am \g<what>",
        ),
        # "gardening is a hobby of mine", "one of my hobbies is stamps", "my other instrument is the oboe"
        (
            rf"^(?P<what>[\w'’&.-]+(?: [\w'’&.-]+){{0,3}}?) {_BE} (?:an?|another|one)(?: \w+)? (?P<noun>\w+) of mine\b(?P<rest>.*)$",
            r"my \g<noun> is \g<what>\g<rest>",
        ),
        (
            rf"^(?:an?|another|one)(?: \w+)? (?P<noun>\w+) of mine {_BE}(?: called| named)? (?P<what>.+)$",
            r"my \g<noun> is \g<what>",
        ),
        (
            rf"^(?:one|two|some|another) of my (?:\w+ )?(?P<noun>\w+?)(?:ies|s) {_BE}(?: called| named)? (?P<what>.+)$",
            r"my \g<noun> is \g<what>",
        ),
        (
            r"^(?P<noun>\w+) is (?:my|our) (?P<what>(?:native|first) language|mother tongue)\b.*$",
            r"my native language is \g<noun>",
        ),
        # what others say of themselves, and whom one has moved where
        (
            r"^(?P<who>my [\w-]+|(?-i:[A-Z])\w+) (?:says|said|told me|reckons|insists)(?: that)? (?:his|her|their) (?P<rest>.+)$",
            r"\g<who>'s \g<rest>",
        ),
        (
            r"^(?P<who>my [\w-]+|(?-i:[A-Z])\w+) (?:has|have) (?:his|her|their) birthday (?:on|in) (?P<what>.+)$",
            r"\g<who>'s birthday is \g<what>",
        ),
        (r"^(?:i|we) have (?:my|our) birthday (?:on|in) (?P<what>.+)$", r"my birthday is \g<what>"),
        (
            r"^(?:i|we) (?:have )?(?:moved|switched|transferred|enrolled|put|sent|signed)(?: up)? (?P<who>my [\w-]+|(?-i:[A-Z])\w+) (?:to|into|in|at|over to) (?P<what>(?-i:[A-Z]).+)$",
            r"\g<who> goes to \g<what>",
        ),
        (
            r"^(?:i|we) (?:have )?(?:took|taken|pulled|moved|withdrew) (?P<who>my [\w-]+|(?-i:[A-Z])\w+) (?:out of|from|away from) (?P<what>(?-i:[A-Z]).+)$",
            r"\g<who> no longer goes to \g<what>",
        ),
        (r"^(?:i|we) (?:am|are) getting married (?P<what>(?:on|in) .+)$", r"my wedding is \g<what>"),
        (
            r"^(?:i|we) (?:have )?(?:moved|switched|changed|transferred) (?:my|our)(?: \w+)? (?:bank |current |checking )?(?:account|bank)s?(?: over)? to (?P<what>(?-i:[A-Z]).+)$",
            r"my bank is now \g<what>",
        ),
        (
            r"^(?:i|we) (?:have|use|are with|am with|went with|are on|am on) (?P<what>(?-i:[A-Z])[\w'’&.-]*(?: (?-i:[A-Z])[\w'’&.-]*)?) for (?:my |our |the )?(?P<noun>[a-z][\w -]{3,25}?)(?P<rest>(?: now| these days| instead)?)$",
            r"my \g<noun> is \g<what>\g<rest>",
        ),
        # "Ranger is his name"
        (
            rf"^(?P<what>[A-Z][\w'’.-]*(?: [A-Z][\w'’.-]*)?) {_BE} (?P<whose>his|her|its|my|our) (?P<noun>name)\b.*$",
            r"\g<whose> name is \g<what>",
        ),
        # "I do birdwatching as a hobby", "I go fencing in my free time"
        (
            r"^(?:i|we) (?:do|have|practi[sc]e|go) (?P<what>[\w -]+?) (?:as (?:an?|my|our)(?: \w+)? hobby|in my (?:free|spare) time|as a pastime|for fun)\b.*$",
            r"my hobby is \g<what>",
        ),
        # "I have a new favourite board game, and that is Wingspan", "I have a new hobby, gardening"
        (
            r"^(?:i|we) (?:have|have got|got)(?: an?)?(?: (?:new|current|great))? (?P<noun>favou?rite [\w ]+?|hobby|language|instrument|commute|dentist|doctor|gp|landlord|landlady|manager|boss|job|gym|car|phone number|number|address|email)(?:,|:| -)? (?:(?:and )?(?:it|that|he|she) is |called |named |of |(?-i:(?=[A-Z\d])))(?P<what>.+)$",
            r"my \g<noun> is \g<what>",
        ),
        (r"^(?:i|we) have (?:an? )?(?P<noun>commute|way to work) of (?P<what>.+)$", r"my \g<noun> is \g<what>"),
        # "I see Dr. Lindqvist as my dentist"
        (
            r"^(?:i|we) (?:see|have|use) (?P<what>(?-i:[A-Z])[\w'’. -]+?) as (?:my|our) (?P<noun>\w+)\b.*$",
            r"my \g<noun> is \g<what>",
        ),
        (
            r"^(?:i|we) rent from (?:my|our|a) (?P<noun>landlord|landlady),? (?P<what>(?-i:[A-Z]).+)$",
            r"my \g<noun> is \g<what>",
        ),
        (
            r"^(?:i|we) rent (?:it |this |my [\w ]+ |our [\w ]+ |a [\w ]+ )?from (?P<what>(?:(?:mr|mrs|ms|dr)\.? )(?-i:[A-Z])[\w'’-]+)\b.*$",
            r"my landlord is \g<what>",
        ),
        # what the person reports to, what reports to the person
        (
            r"^(?:i|we) (?:now )?(?:report to|work under|answer to) (?P<what>(?-i:[A-Z])[\w'’.-]*(?: (?-i:[A-Z])[\w'’-]+)?)\b.*$",
            r"my manager is \g<what>",
        ),
        (
            r"^(?P<what>(?-i:[A-Z])[\w'’.-]*(?: (?-i:[A-Z])[\w'’-]+)?) (?:is|has been|became) (?P<who>who|the (?:person|one|woman|man|doctor|dentist))(?: that| who)? i (?:report to|work for)\b.*$",
            r"my manager is \g<what>",
        ),
        # what one has, of which sort it is
        (
            r"^(?:you can |people can |please )?(?:reach|call|ring|text|phone) me (?:on|at) (?P<what>\+?[\d][\d ()-]{5,})(?P<rest>.*)$",
            r"my phone number is \g<what>\g<rest>",
        ),
        (
            r"^(?:please )?(?:use|write to|write me at|e-?mail me at|mail me at) (?P<what>\+?[\d][\d ()-]{5,}|\S+@\S+)\b.*$",
            r"my number is \g<what>",
        ),
        (
            r"^(?:i|we) (?:bank|have (?:my|our|an?) (?:bank |checking |current |savings )?accounts?|keep (?:my|our) money) (?:with|at) (?P<what>(?-i:[A-Z]).+)$",
            r"my bank is \g<what>",
        ),
        (r"^(?:my|our) (?:bank |current |checking )?account is (?:with|at) (?P<what>.+)$", r"my bank is \g<what>"),
        (
            r"^(?:my|our) (?P<noun>home|flat|apartment|house|place) is (?:now )?(?P<at>in|on|at) (?P<what>.+)$",
            r"I live \g<at> \g<what>",
        ),
        (
            r"^(?:my|our) (?:new )?(?:home|flat|apartment|house|place) is (?:now )?(?P<what>(?-i:[A-Z]).+)$",
            r"I live in \g<what>",
        ),
        (
            r"^it takes (?:me|us) (?P<what>.{2,30}?) to (?:get|drive|cycle|bike|walk|commute|travel|go) (?:in )?to (?:work|the office|campus|uni|school|my office)(?P<rest>.*)$",
            r"my commute is \g<what>\g<rest>",
        ),
        (
            r"^(?:the|my|our) (?:drive|walk|ride|journey|trip|way|bus ride|train ride|cycle) (?:in )?to (?:work|the office|campus|uni) (?:takes(?: me| us)?|is) (?P<what>.+)$",
            r"my commute is \g<what>",
        ),
        (
            r"^(?:i|we) commute(?P<how>[^,]*), (?P<what>(?:about |around )?\d+ min\w*.*)$",
            r"my commute is \g<what>\g<how>",
        ),
        (
            r"^(?:my|our)(?: new)? (?:job|work|position|employment) is (?:now )?(?:in [\w ]+? )?(?P<at>at|with|for) (?P<what>.+)$",
            r"I work \g<at> \g<what>",
        ),
        (
            r"^(?P<what>(?-i:[A-Z\d])[\w'’&.-]*(?: (?:&|and|of|the|(?-i:[A-Z\d])[\w'’&.-]*)){0,5}) (?:employs me|pays my (?:salary|wages)|(?:has |have )?(?:gave|given|offered) me a job|(?:has |have )?hired me|took me on|(?:has |have )?taken me on)\b.*$",
            r"I work at \g<what>",
        ),
        (
            r"^(?P<what>(?-i:[A-Z])[\w'’ -]+?) is (?:now )?(?:my|our) (?:new )?(?:home|home town|hometown|city)\b(?P<rest>.*)$",
            r"I live in \g<what>\g<rest>",
        ),
        (
            r"^(?P<what>(?-i:[A-Z])[\w'’&. -]+?) is (?:now )?(?:my|our) (?:new )?(?P<noun>employer|workplace|company)\b(?P<rest>.*)$",
            r"I work at \g<what>\g<rest>",
        ),
    )
)
# "after the reshuffle I report to Anton": when and why, before what.
_LEADING = re.compile(
    r"^(?:after|with|following|thanks to|under|during|by|for|at|in|on|from|as of|looking at|according to|since|because of|due to|until|over)\s(?!.*\b(?:i|we)\b.*,\s)[^,.;]{2,50}?,?\s(?=(?:i|we|my|our)\s)",
    re.IGNORECASE,
)
_WHERE = re.compile(
    rf"^(?P<what>[\w'’&. -]+?) {_BE} where i (?:(?:now|also|currently) )?(?P<verb>live|work|study|train|volunteer|bank|go)\b(?P<rest>.*)$",
    re.IGNORECASE,
)


def recast(text: str) -> str:
    """`text` said of the person first, where it is of a known shape; else as it is."""
    text = _FRAME.sub("", text, count=1)
    where = _WHERE.match(text)
    if where:
        return f"I {where['verb']} {_PLACED[where['verb'].lower()]} {where['what']}{where['rest']}"
    for pattern, new in _SHAPES:
        match = pattern.match(text)
        if match:
            return match.expand(new)
    leading = _LEADING.match(text)
    return recast(text[leading.end() :]) if leading else text
