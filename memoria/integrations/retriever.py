"""`MemoriaRetriever`: a person's memory as a LangChain retriever.

What enters: a question. What leaves: `Document`s, best first, each with the turn's id, score, citation, session, time
and trust. Orders among words that are not the person's own are withheld here as in every context.
"""

from __future__ import annotations

import asyncio
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForRetrieverRun, CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import RunnableConfig, ensure_config
from pydantic import ConfigDict

from memoria.errors import UnknownUser
from memoria.integrations.person import Binding, Person, User
from memoria.memory import Memory
from memoria.records import Context, Hit
from memoria.remember.trust import gives_orders


class MemoriaRetriever(BaseRetriever):
    """Retrieves the turns that answer a question; of somebody unknown, none.

    `user` and `tenant` are used where a run does not say so itself (see `Binding`): the run of a graph, or the config
    that the retriever is invoked with. `k` and `budget`: at most so many turns, and tokens of quotes; None takes the
    settings'. `session`: only this one.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    memory: Memory
    user: User | None = None
    tenant: str = "default"
    k: int | None = None
    budget: int | None = None
    session: str | None = None

    def invoke(self, input: str, config: RunnableConfig | None = None, **kwargs: Any) -> list[Document]:
        """The turns that answer `input`, best first. Raises `InvalidInput` where it is not known whose."""
        return super().invoke(input, config, **kwargs, person=self._person(config))

    async def ainvoke(self, input: str, config: RunnableConfig | None = None, **kwargs: Any) -> list[Document]:
        """The turns that answer `input`, best first. Raises `InvalidInput` where it is not known whose."""
        return await super().ainvoke(input, config, **kwargs, person=self._person(config))

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun, person: Person | None = None
    ) -> list[Document]:
        whose = person if person is not None else self._person(None)
        try:
            found = self.memory.recall(
                query, user=whose.user, tenant=whose.tenant, k=self.k, budget=self.budget, session=self.session
            )
        except UnknownUser:
            return []
        return [_document(hit, found) for hit in found.hits]

    async def _aget_relevant_documents(
        self, query: str, *, run_manager: AsyncCallbackManagerForRetrieverRun, person: Person | None = None
    ) -> list[Document]:
        return await asyncio.to_thread(
            self._get_relevant_documents, query, run_manager=run_manager.get_sync(), person=person
        )

    def _person(self, config: RunnableConfig | None) -> Person:
        return Binding(self.user, self.tenant).person(config=ensure_config(config))


def _document(hit: Hit, found: Context) -> Document:
    episode = hit.episode
    withheld = gives_orders(episode.text, episode.trust)
    return Document(
        id=episode.id,
        page_content=f"withheld, as it gives orders; see: memoria explain {episode.id}" if withheld else hit.quote,
        metadata={
            "id": episode.id,
            "score": hit.score,
            "citation": hit.citation,
            "session": episode.session,
            "position": episode.position,
            "time": episode.occurred_at.isoformat(),
            "speaker": episode.speaker,
            "role": episode.role,
            "trust": episode.trust,
            "confidence": found.confidence,
            "known": found.known,
            **({"withheld": True} if withheld else {}),
        },
    )
