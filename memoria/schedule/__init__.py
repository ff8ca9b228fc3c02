"""Jobs, and the clock that runs them: every slot's effect exactly once.

What enters: `configs/jobs.yaml` and a home. What leaves: runs, kept in the ledger with their outcome.
"""
