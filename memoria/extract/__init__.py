"""From what was said to what is so.

What enters: episodes. What leaves: claims for the ledger, each with the words that bear it out. `sentences` cuts a turn
into clauses that state something, `subjects` says whom each is about, `facts`, `tastes` and `changes` read them by
rules, `model` by a language model; both yield `proposals`. `conflict` turns proposals into claims by the `ontology`,
and `learn` writes them.
"""
