"""Vector indexes: disposable, rebuilt from the ledger at any time.

What enters: points and query vectors. What leaves: ids and cosine scores. `port` says what an index is; `edge`,
`client` and `exact` are the three; `rebuild` fills a new generation in another process.
"""
