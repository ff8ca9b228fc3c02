"""Agents that a person talks to, built from `memoria_graphs` and `Memory`'s verbs.

What enters: what a person says. What leaves: answers with citations. `assistant` is for years of talk and streams its
answers; `companion` lives through a history in one go (the demo); `inspector` answers questions about the memory
itself; `simulated_user` is a scripted person to try any of them on.
"""

from memoria_agents.answer import Answer
from memoria_agents.assistant import Assistant
from memoria_agents.companion import Companion, Reply
from memoria_agents.inspector import Inspection, Inspector
from memoria_agents.simulated_user import SimulatedUser

__all__ = ["Answer", "Assistant", "Companion", "Inspection", "Inspector", "Reply", "SimulatedUser"]
