"""Forgetting that reaches every byte.

What enters: whose memory, and what of it shall go. What leaves: a receipt. `select` finds what is meant, `erase` takes
it out of the ledger in one unit of work and then out of every file, `verify` reads the home for what should be gone,
`eraser` runs them.
"""
