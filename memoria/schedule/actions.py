"""What the packaged jobs do: reflect, profile, retention, reindex; distil and rebuild only tell what there is to do.

What enters: the memory and a run. What leaves: an outcome in numbers. For one person, `reflect` and `profile` end their
run in the unit of work that keeps the profile: exactly once. Retention and re-indexing are idempotent (what is gone is
gone, an index built twice is the same one), so for them it is enough that one worker at a time has the run; so it is
for a run that goes through everybody of a tenant or a home, where an unchanged history costs nothing.
"""

from __future__ import annotations

from collections.abc import Mapping

from memoria.memory import Memory
from memoria.records import Scope
from memoria.schedule.run import Action, Outcome, Run


def reflect(memory: Memory, run: Run) -> Outcome:
    """Read the turns that were not read yet, then reflect. What a model may spend on either is bounded by the settings'
    `extract.budget_*` and `reflect.budget_*`; what reflecting spent is counted to the job's budget as well."""
    read = 0
    for scope in _whose(memory, run):
        run.check()
        read += memory.learn(user=scope.user, tenant=scope.tenant)
    return _reflected(memory, run, f"{read} turns read, ")


def profile(memory: Memory, run: Run) -> Outcome:
    """Bring profiles up to date with what is believed, reading nothing new."""
    return _reflected(memory, run, "")


def retention(memory: Memory, run: Run) -> Outcome:
    """Forget what the settings' retention says has been kept long enough."""
    receipts = 0
    episodes = beliefs = 0
    for scope in _whose(memory, run):
        run.check()
        for receipt in memory.retain(user=scope.user, tenant=scope.tenant):
            receipts, episodes, beliefs = receipts + 1, episodes + receipt.episodes, beliefs + receipt.beliefs
    return Outcome(f"{episodes} turns and {beliefs} beliefs forgotten, {receipts} receipts")


def reindex(memory: Memory, run: Run) -> Outcome:
    """Build the vector index anew, unless another process keeps it: that one has it in step."""
    index = memory.status()["index"]
    if index is None:
        return Outcome("nothing is remembered yet, so there is no index")
    if not index["owns_index"] and index["engine"] != "exact":
        return Outcome("another process keeps the index; nothing was built")
    memory.reindex()
    return Outcome(f"{index['points']} turns indexed")


def distil(memory: Memory, run: Run) -> Outcome:
    """Nothing: what trains is given in its place (`memoria_graphs.jobs.ACTIONS`, as the command line does)."""
    return Outcome("nothing that trains is set up")


def rebuild(memory: Memory, run: Run) -> Outcome:
    """Nothing, as `distil`; but tell how many wait for it."""
    return Outcome(f"nothing that trains is set up; {len(memory.owed())} are owed a rebuild")


ACTIONS: Mapping[str, Action] = {
    "reflect": reflect,
    "profile": profile,
    "retention": retention,
    "reindex": reindex,
    "distil": distil,
    "rebuild": rebuild,
}


def _whose(memory: Memory, run: Run) -> list[Scope]:
    if run.user is not None and run.tenant is not None:
        return [Scope(tenant=run.tenant, user=run.user)]
    return memory.users(tenant=run.tenant)


def _reflected(memory: Memory, run: Run, before: str) -> Outcome:
    also = run.guard if run.user is not None else run.hold
    changed = added = removed = 0
    people = _whose(memory, run)
    for scope in people:
        run.check()
        made = memory.reflect(user=scope.user, tenant=scope.tenant, also=also)
        changed, added, removed = changed + made.changed, added + made.added, removed + made.removed
        run.spend(made.tokens_spent, made.money_spent)
    return Outcome(f"{before}{changed} of {len(people)} profiles changed, {added} lines added, {removed} removed")
