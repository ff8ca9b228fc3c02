"""A task in a process apart: bounded in memory, killed with whoever asked for it.

What enters: a task, and how much memory it may take. What leaves: its result. What the caller's `progress` raises (a
job's run that is lost, Ctrl-C) kills the process; what it had trained stays in its folder, to be gone on with.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from memoria import errors
from memoria.distill.task import Result, Task
from memoria.distill.worker import ORPHANED, OVER_MEMORY, unlockable
from memoria.errors import MemoriaError, TrainingFailed

Heard = Callable[[dict[str, Any]], None]  # {"waiting": True}, {"alive": True}, {"step": 3, "steps": 60, "loss": 2.1}
Perform = Callable[[Task, Heard | None], Result]  # what does a task somewhere

LOCK = "training.lock"


def perform_apart(task: Task, *, memory_mb: int, cache_dir: Path, heard: Heard | None = None) -> Result:
    """Do a task in a process of its own, when the machine is free for it.

    Raises `TrainingFailed` when the process ends without a result (more memory than `memory_mb` allows, killed), and
    what the task itself raises.
    """
    lock = str(cache_dir / LOCK)
    try:
        cache_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TrainingFailed(unlockable(lock, error)) from error
    settings = {"parent": os.getpid(), "memory_mb": memory_mb, "lock": lock}
    threads = str(task.threads)
    environment = {**os.environ, "OMP_NUM_THREADS": threads, "MKL_NUM_THREADS": threads}
    environment |= {"TOKENIZERS_PARALLELISM": "false", "PYTHONWARNINGS": "ignore"}
    with tempfile.TemporaryFile() as told:
        child = subprocess.Popen(
            [sys.executable, "-m", "memoria.distill.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=told,
            env=environment,
            text=True,
        )
        try:
            result = _conversation(child, f"{json.dumps(settings)}\n{task.model_dump_json()}", heard)
            if child.wait() == 0 and result is not None:
                return result
            raise TrainingFailed(_why(child.returncode, memory_mb, told))
        finally:
            child.kill()
            child.wait()
            assert child.stdout is not None
            child.stdout.close()


def _conversation(child: subprocess.Popen[str], said: str, heard: Heard | None) -> Result | None:
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        with child.stdin as stdin:
            stdin.write(said)
    except BrokenPipeError:
        return None
    result: Result | None = None
    for line in child.stdout:
        facts: dict[str, Any] = json.loads(line)
        if "error" in facts:
            raise _error(facts)
        if "result" in facts:
            result = Result.model_validate(facts["result"])
        elif heard is not None:
            heard(facts)
    return result


def _error(facts: dict[str, Any]) -> MemoriaError:
    kind: Any = getattr(errors, str(facts["error"]), TrainingFailed)
    return kind(facts["why"])


def _why(code: int, memory_mb: int, told: IO[bytes]) -> str:
    if code == OVER_MEMORY:
        return f"The training took more than {memory_mb} MB and was ended; raise distil.memory_mb, or lower the batch."
    if code == ORPHANED:
        return "The training ended with the process that asked for it."
    told.seek(0)
    lines = told.read().decode(errors="replace").strip().splitlines()
    last = lines[-1][:300] if lines else "it said nothing"
    how = f"by signal {-code}" if code < 0 else f"with code {code}"
    return f"The training process ended {how} ({last}); run it again: it goes on where it was."
