"""memoria in LangGraph's and LangChain's own terms: store, middleware, tools, retriever, chat history.

What enters: an open `Memory`. What leaves: objects that LangGraph and LangChain take as their own.
"""
