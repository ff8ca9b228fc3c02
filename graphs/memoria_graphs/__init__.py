"""LangGraph state graphs over memoria; each node is a thin call into it.

What enters: a `Memory` and, where wanted, a chat model or a `Trainer` (memoria's own is `MemoriaTrainer`). What leaves:
compiled graphs. `conversation` is recall -> respond -> remember, `reflection` gather -> consolidate -> verify ->
commit, `distillation` select -> build -> train -> gate -> promote. Each goes on after a kill at any node, given a
checkpointer. docs/graphs.md draws them. `memoria_graphs.jobs` has the actions of the jobs `distil` and `rebuild`.
"""

from memoria_graphs.conversation import build_conversation
from memoria_graphs.distillation import build_distillation
from memoria_graphs.person import Person
from memoria_graphs.reflection import build_reflection
from memoria_graphs.trainer import MemoriaTrainer
from memoria_graphs.training import Candidate, Least, Selection, Sources, Trainer, Training, Verdict

__all__ = [
    "Candidate",
    "Least",
    "MemoriaTrainer",
    "Person",
    "Selection",
    "Sources",
    "Trainer",
    "Training",
    "Verdict",
    "build_conversation",
    "build_distillation",
    "build_reflection",
]
