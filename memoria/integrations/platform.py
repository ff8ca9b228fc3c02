"""What `langgraph.json` names for LangGraph's server: the store.

What enters: the server, which loads this file by its path. What leaves: its long-term store, kept by memoria. The
server's own `@auth.on.store` says who may touch which namespace.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from langgraph.store.base import BaseStore

from memoria.integrations.langgraph_store import MemoriaStore
from memoria.integrations.shared import shared_memory


@asynccontextmanager
async def make_store() -> AsyncGenerator[BaseStore]:
    """The store over the process's Memory. Items put with a time to live are swept while the server runs."""
    store = MemoriaStore(await asyncio.to_thread(shared_memory), ttl={"refresh_on_read": True})
    store.start_ttl_sweeper()
    try:
        yield store
    finally:
        store.stop_ttl_sweeper()
