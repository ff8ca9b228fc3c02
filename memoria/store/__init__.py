"""The store: the ledger (truth), the vector index (disposable), and what derives from both.

What enters: records. What leaves: records, columns and postings. Nothing above this folder writes to a home's files.
"""
