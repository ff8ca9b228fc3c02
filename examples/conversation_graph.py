"""A LangGraph conversation that remembers across threads, offline.

What enters: two threads of one person. What leaves: the answer on the second, from what was said on the first. Give
`build_conversation(memory, model=init_chat_model(...))` any LangChain chat model to answer in its own words.
"""

from langchain_core.messages import HumanMessage
from langgraph.checkpoint.memory import InMemorySaver
from memoria_graphs import Person, build_conversation

from memoria import Memory

with Memory() as memory:
    graph = build_conversation(memory, checkpointer=InMemorySaver())
    for thread, text in (
        ("monday", "My sister Leonor is getting married in Braga on the 6th of September."),
        ("tuesday", "When is Leonor's wedding?"),
        ("tuesday", "What is the name of my parrot?"),
    ):
        config = {"configurable": {"thread_id": thread}}
        state = graph.invoke({"messages": [HumanMessage(text)]}, config, context=Person("ana"))
        print(f"{thread}> {text}\n{state['messages'][-1].text}\n")
