"""An agent of LangChain's that remembers across threads: `create_agent` with memoria's middleware, offline.

What enters: two threads of one person. What leaves: what the model was shown on the second. Any chat model of
LangChain's takes the place of the scripted one.
"""

from dataclasses import dataclass

from langchain.agents import create_agent
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage
from langgraph.checkpoint.memory import InMemorySaver

from memoria import Memory
from memoria.integrations.middleware import MemoriaMiddleware


@dataclass
class Person:
    user: str


class Shown(GenericFakeChatModel):
    def _generate(self, messages, *args, **more):
        print("\n".join(f"{message.type}> {message.text}" for message in messages), end="\n\n")
        return super()._generate(messages, *args, **more)


with Memory() as memory:
    model = Shown(messages=iter([AIMessage("Congratulations to Leonor!"), AIMessage("In Braga [1].")]))
    middleware = [MemoriaMiddleware(memory, budget=300)]
    agent = create_agent(model, middleware=middleware, checkpointer=InMemorySaver(), context_schema=Person)
    for thread, text in (
        ("monday", "My sister Leonor is getting married in Braga in September."),
        ("tuesday", "Where is my sister's wedding?"),
    ):
        config = {"configurable": {"thread_id": thread}}
        agent.invoke({"messages": [("user", text)]}, config, context=Person("ana"))
