"""Forget for good: look first, then erase, and read the receipt.

What enters: a few turns. What leaves: what would go, a receipt, and a memory without it.
"""

from memoria import Memory

with Memory() as memory:
    memory.remember(["The safe opens with 7741.", "My sister sings in a choir."], user="ana", session="talk")
    shown = memory.forget(user="ana", query="the safe", dry_run=True)
    print("would go:", [episode.text for episode in shown.would_go])
    receipt = memory.forget(user="ana", query="the safe")
    print(f"receipt {receipt.number}: {receipt.episodes} gone, complete: {receipt.complete}, left: {receipt.residue}")
    print(memory.recall("What opens the safe?", user="ana").render())
