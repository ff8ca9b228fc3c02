"""The items of LangGraph's store.

What enters: nothing. What leaves: table objects, beside those of `schema.py`; see there.
"""

from __future__ import annotations

from sqlalchemy import Table

TABLES: tuple[Table, ...] = ()
