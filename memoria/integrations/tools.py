"""Every tool that memoria makes for an agent.

What enters: a memory, or a store's namespace. What leaves: LangChain tools. The first two are drop-ins for LangMem's
and work on any `BaseStore` (`store_tools`); the others work on a `Memory` (`memory_tools`, `forget_tool`).
"""

from memoria.integrations.forget_tool import create_forget_tool
from memoria.integrations.memory_tools import create_explain_tool, create_recall_tool
from memoria.integrations.store_tools import create_manage_memory_tool, create_search_memory_tool

__all__ = [
    "create_explain_tool",
    "create_forget_tool",
    "create_manage_memory_tool",
    "create_recall_tool",
    "create_search_memory_tool",
]
