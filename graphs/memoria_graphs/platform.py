"""What `langgraph.json` names for LangGraph's server: the graphs.

What enters: the server, which loads this file by its path and asks for a graph with each run. What leaves: graphs over
the process's Memory, without a checkpointer: the server brings its own, and authenticates the person.
"""

from __future__ import annotations

import asyncio
from typing import Any

from langgraph.graph.state import CompiledStateGraph

from memoria.integrations.shared import shared_memory
from memoria_graphs.conversation import build_conversation
from memoria_graphs.distillation import build_distillation
from memoria_graphs.reflection import build_reflection
from memoria_graphs.trainer import MemoriaTrainer

Graph = CompiledStateGraph[Any, Any, Any, Any]


async def conversation() -> Graph:
    """Recall, respond from the memory's own words, remember."""
    return build_conversation(await asyncio.to_thread(shared_memory))


async def reflection() -> Graph:
    """Make the person's profile anew where their history changed."""
    return build_reflection(await asyncio.to_thread(shared_memory))


async def distillation() -> Graph:
    """Make of a person's memory a preference head, a card and an adapter, as the settings want them."""
    memory = await asyncio.to_thread(shared_memory)
    return build_distillation(memory, trainer=MemoriaTrainer(memory))
