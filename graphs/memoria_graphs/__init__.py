"""LangGraph state graphs over memoria; each node is a thin call into it.

What enters: a `Memory` and, where wanted, a chat model. What leaves: compiled graphs. `conversation` is
recall -> respond -> remember.
"""

from memoria_graphs.conversation import Person, build_conversation

__all__ = ["Person", "build_conversation"]
