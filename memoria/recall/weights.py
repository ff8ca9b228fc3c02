"""The weights of recall, and why each is there.

What enters: nothing. What leaves: numbers. They are a logistic regression's (is this turn evidence for this question?)
on LoCoMo and LongMemEval, standard deviations folded in; `benchmarks/fit_recall.py` makes them and reports what they
give on conversations left out of the fit. None was set by hand, and none looks at more than its reason says.
"""

from __future__ import annotations

# feature -> weight. A feature's name begins with its signal's (configs/recall.yaml switches those).
WEIGHTS: dict[str, float] = {
    "dense.turn": 2.0,  # the turn means what the question asks
    "dense_window.turn": 0.4,  # its neighbours do: short turns lean on what stands around them
    "lexical.turn": 1.4,  # it uses the question's words ...
    "lexical.cover": 1.0,  # ... and many different ones of them
    "lexical_window.turn": 2.0,  # the words stand in the turn before or after: question and answer
    "lexical_window.cover": 0.9,
    "session.lexical": 1.1,  # the talk it belongs to is about that
    "session.dense": 1.1,
    "speaker.named": 1.6,  # the question names who said it
    "speaker.self": 1.7,  # "my", "I": what the person said themselves
    "speaker.assistant": 0.8,  # "you": what the assistant said
    "time.within": 0.7,  # said in a period that the question names
    "shape.length": 4.5,  # a turn of three words seldom answers anything
    "shape.number": 0.7,  # "when", "how many": answers hold digits
    "shape.question": -0.3,  # answers are seldom questions
}

# Is the answer in the memory at all? A logistic regression on the best of each signal, fitted on questions asked of the
# right and of the wrong conversation.
CONFIDENCE: dict[str, float] = {"bias": -6.0, "cosine": 8.0, "cover": 3.0, "known": 2.0}

LONG_ENOUGH = 20  # terms from which on a turn says enough: more adds nothing
STANDS_ALONE = 20  # a turn of so many terms counts its window by half: long turns explain themselves
