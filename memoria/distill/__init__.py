"""Distillation: what a memory knows of a person, made into what a model can carry.

What enters: live beliefs, the profile, episodes and feedback, each by its id. What leaves: a preference head, a
preference card, an adapter for a local model; each with the list of what it was made of, judged by a gate before it
serves. `dataset` and `pairs` make examples, `head`, `card` and `train` learn from them, `gate` decides, `registry`
keeps.
"""
