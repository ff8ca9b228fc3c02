"""Bring a history in: a ChatGPT export and a LangGraph checkpointer's thread.

What enters: a small export, written here. What leaves: turns remembered, each with its own session and time.
"""

import json
from pathlib import Path

from langchain_core.messages import HumanMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph

from memoria import Memory
from memoria.remember.sources import from_checkpointer, read_source

said = {"author": {"role": "user"}, "create_time": 1735725600, "content": {"parts": ["I keep bees on the roof."]}}
export = [{"title": "Bees", "id": "c1", "current_node": "a", "mapping": {"a": {"message": said, "parent": None}}}]
Path("conversations.json").write_text(json.dumps(export), encoding="utf-8")

saver = InMemorySaver()
builder = StateGraph(MessagesState)
builder.add_node("listen", lambda state: {})
builder.add_edge(START, "listen")
thread = {"configurable": {"thread_id": "garden"}}
builder.compile(checkpointer=saver).invoke({"messages": [HumanMessage("The hens moved in on Friday.")]}, thread)

with Memory() as memory:
    memory.remember(read_source(Path("conversations.json")), user="ana")
    memory.remember(from_checkpointer(saver, "garden"), user="ana")
    for hit in memory.recall("Which animals do I keep?", user="ana").hits:
        print(hit.episode.session, hit.episode.occurred_at.date(), hit.quote)
