"""Agents that a person talks to, built from `memoria_graphs`.

What enters: what a person says. What leaves: answers with citations. `companion` is the first: it remembers, and
answers from memory.
"""

from memoria_agents.companion import Companion, Reply

__all__ = ["Companion", "Reply"]
