"""Reflection: what a history amounts to.

What enters: a person's beliefs and turns. What leaves: insights, and a profile in which each line cites its evidence.
"""
