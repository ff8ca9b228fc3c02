"""How turns come in.

What enters: whatever a caller has (our turns, LangChain messages, dicts, files, checkpoints). What leaves: episodes in
the ledger. `turns` validates, `sources` reads files and checkpoints, `trust` says whose words they are, `ingest` keeps.
"""
