"""Every error that memoria raises on purpose.

What enters: the facts of a failure. What leaves: one sentence that names the thing and the next step.

    MemoriaError
    ├── InvalidInput (ValueError)   what the caller gave cannot be taken
    ├── UnknownUser (LookupError)   nothing was ever remembered for that person
    ├── UnknownBelief (LookupError) no such belief, entity or episode in that person's memory
    ├── UnknownProfile (LookupError) no profile, or no such version, was made yet
    ├── UnknownAdapter (LookupError) that person has no adapter of that name
    ├── Withheld                    an adapter may not serve, or not be kept
    ├── TrainingFailed              a training process ended without a result
    ├── EditConflict                somebody changed the belief since it was read
    ├── BudgetSpent                 an extraction reached its limit of tokens or money
    ├── ExtractionFailed            a model's answer about some turns cannot be read
    ├── UnknownJob (LookupError)    no job of that name is configured
    ├── RunEnded                    a job's run is this worker's no more: its action must stop
    │   ├── LeaseLost               somebody else has the run now
    │   ├── OverTime (TimeoutError) it took longer than the job's budget
    │   └── Stopping                the worker was told to stop
    ├── ForkedProcess               a Memory was carried over fork()
    ├── ModelUnavailable            a model's package or weights are missing
    ├── EmbeddingMismatch           vectors of another model or dimension
    └── StoreError
        ├── CorruptHome             the ledger's file is damaged
        ├── HomeTooNew              a newer memoria wrote this home
        ├── StorageFull             the disk took no more
        ├── StoreBusy               another process held the ledger too long
        └── IndexUnavailable        the vector index cannot be opened or reached
"""


def first_line(error: BaseException) -> str:
    """The first line of what somebody else's error says; its name, where it says nothing."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


class MemoriaError(Exception):
    """Base of all errors that memoria raises on purpose."""


class InvalidInput(MemoriaError, ValueError):
    """What the caller gave cannot be taken; nothing was written."""


class UnknownUser(MemoriaError, LookupError):
    """Nothing was ever remembered for that person in that tenant."""


class UnknownBelief(MemoriaError, LookupError):
    """That person's memory holds no belief, entity or episode of that name."""


class UnknownProfile(MemoriaError, LookupError):
    """No profile of that person, or no such version of it, was made."""


class UnknownAdapter(MemoriaError, LookupError):
    """That person has no adapter of that name."""


class Withheld(MemoriaError):
    """An adapter may not serve, be kept or be given away: what it was made of is gone, its files are damaged, or the
    gate was not passed. Nothing was written."""


class TrainingFailed(MemoriaError):
    """A training process ended without a result; what it had learnt is gone on with the next time."""


class EditConflict(MemoriaError):
    """Somebody changed the belief since it was read; nothing was written."""


class BudgetSpent(MemoriaError):
    """A model's extraction reached its limit of tokens or money; what it had read by then is kept."""


class ExtractionFailed(MemoriaError):
    """A model gave no answer by the schema for some turns; nothing of those was written, what was read before is
    kept."""


class UnknownJob(MemoriaError, LookupError):
    """No job of that name is configured."""


class RunEnded(MemoriaError):
    """A job's run is this worker's no more: its action must stop."""


class LeaseLost(RunEnded):
    """Somebody else has the run now, or it is over; the unit of work was undone."""


class OverTime(RunEnded, TimeoutError):
    """A run took longer than its job's budget."""


class Stopping(RunEnded):
    """The worker was told to stop; the run is due again at once."""


class ForkedProcess(MemoriaError, RuntimeError):
    """A `Memory` was carried over `fork()`; open a new one in the child."""


class ModelUnavailable(MemoriaError, RuntimeError):
    """A model's package or weights are missing or damaged."""


class EmbeddingMismatch(MemoriaError, ValueError):
    """Vectors come from another model, or have another dimension, than the home's."""


class StoreError(MemoriaError):
    """Base of what can go wrong with the files of a home."""


class CorruptHome(StoreError):
    """The ledger's file is damaged or is no ledger."""


class HomeTooNew(StoreError):
    """A newer memoria wrote this home."""


class StorageFull(StoreError, OSError):
    """The disk took no more; the unit of work was undone."""


class StoreBusy(StoreError, TimeoutError):
    """Another process held the ledger's write lock for too long."""


class IndexUnavailable(StoreError):
    """The vector index cannot be opened or reached."""
