"""The weights of recall, and why each is there.

What enters: nothing. What leaves: numbers. They are a logistic regression's (is this turn evidence for this question?)
on LoCoMo and LongMemEval, standard deviations folded in; `benchmarks/fit_recall.py` makes them and reports what they
give on conversations left out of the fit. Those of beliefs and the graph were picked from a sweep over LoCoMo,
LongMemEval and PrefEval with the others held (`benchmarks/sweep_beliefs.py`): their likelihood is flat, and what is
wanted of them is that no set loses. None looks at more than its reason says.
"""

from __future__ import annotations

# feature -> weight. A feature's name begins with its signal's (configs/recall.yaml switches those).
WEIGHTS: dict[str, float] = {
    "dense.turn": 2.21,  # the turn means what the question asks
    "dense_window.turn": 0.26,  # its neighbours do: short turns lean on what stands around them
    "lexical.turn": 1.49,  # it uses the question's words ...
    "lexical.cover": 0.71,  # ... and many different ones of them
    "lexical_window.turn": 2.93,  # the words stand in the turn before or after: question and answer
    "lexical_window.cover": 1.46,
    "session.lexical": 1.24,  # the talk it belongs to is about that
    "session.dense": 0.94,
    "speaker.named": 1.59,  # the question names who said it
    "speaker.self": 1.54,  # "my", "I": what the person said themselves
    "speaker.assistant": 0.73,  # "you": what the assistant said
    "time.within": 1.31,  # said in a period that the question names
    "shape.length": 3.9,  # a turn of three words seldom answers anything
    "shape.number": 0.83,  # "when", "how many": answers hold digits
    "shape.question": -0.32,  # answers are seldom questions
    "belief.bears": 0.2,  # the turn bears out a belief, of now or of before, that the question is about ...
    "belief.direct": 0.2,  # ... and that answers it directly
    "belief.taste": 2.5,  # advice is asked, and the turn says what the person likes ...
    "belief.taste_near": 2.0,  # ... the nearer of their tastes to what is asked, the better
    "graph.near": 0.73,  # it stands near to what the question names, in the knowledge graph
}

# Is the answer in the memory at all? A logistic regression on the best of each signal, fitted on questions asked of the
# right and of the wrong conversation.
CONFIDENCE: dict[str, float] = {"bias": -14.49, "cosine": 23.63, "cover": 5.78, "known": 1.19}

LONG_ENOUGH = 20  # terms from which on a turn says enough: more adds nothing
STANDS_ALONE = 20  # a turn of so many terms counts its window by half: long turns explain themselves
