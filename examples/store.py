"""LangGraph's long-term store, durable, searched by meaning and words; forgetting a person takes their items."""

import tempfile

from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.store.base import BaseStore

from memoria import Memory
from memoria.integrations.langgraph_store import MemoriaStore

with tempfile.TemporaryDirectory() as home, Memory(home) as memory:
    store = MemoriaStore(memory)
    store.put(("memories", "ana"), "bees", {"text": "Ana keeps bees on the roof", "year": 2025})
    store.put(("memories", "ana"), "sea", {"text": "Ana sails on Sundays", "year": 2024})

    def answer(state: MessagesState, *, store: BaseStore) -> dict[str, list[tuple[str, str]]]:
        """A node asks the store that the graph was compiled with."""
        best = store.search(("memories", "ana"), query=state["messages"][-1].text, filter={"year": {"$gte": 2025}})[0]
        return {"messages": [("ai", best.value["text"])]}

    graph = StateGraph(MessagesState).add_node(answer).add_edge(START, "answer").add_edge("answer", END)
    said = graph.compile(store=store).invoke({"messages": [("human", "Which insects does she keep?")]})
    print(said["messages"][-1].text)

    memory.forget(user="ana", everything=True)
    print(store.search(("memories",)))
