"""Which jobs there are and when: `jobs.yaml`.

What enters: the packaged file, and the user's own beside the other settings. What leaves: frozen `Job`s, or an error
that names the file, the job and the key.
"""

from __future__ import annotations

import re
from datetime import UTC, tzinfo
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator, model_validator

from memoria.errors import InvalidInput, UnknownJob
from memoria.schedule.slots import Cron, Every, Slots, jitter_of

FILE = "jobs.yaml"
_PACKAGED = Path(__file__).parent / FILE
_SECOND = 1_000_000
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_LENGTH = re.compile(r"(\d+(?:\.\d+)?)\s*([smhd]?)")
_SHORTEST = 100_000  # microseconds; a slot takes about a millisecond of the ledger for each target


def _length(value: Any) -> int:
    match = _LENGTH.fullmatch(str(value).strip()) if not isinstance(value, bool) else None
    if match is None:
        raise ValueError(f"{value!r} is no length of time; write seconds, or 30s, 10m, 6h, 2d")
    return round(float(match[1]) * _UNITS[match[2] or "s"] * _SECOND)


Length = Annotated[int, BeforeValidator(_length), Field(ge=0)]  # microseconds


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class JobBudget(_Part):
    """What one run may take: time, and what its action spends of a model's tokens and of money."""

    seconds: float = Field(default=600, gt=0)
    tokens: int | None = Field(default=None, ge=0)
    money: float | None = Field(default=None, ge=0)


class Job(_Part):
    """One job; the keys are explained in `jobs.yaml`. Lengths are given as there, and held in microseconds."""

    name: str
    action: str | None = None
    cron: str | None = None
    interval: Length | None = None
    timezone: str = "UTC"
    per: Literal["user", "tenant", "home"] = "user"
    jitter: Length = 0
    catch_up: Literal["all", "last", "none"] = "last"
    catch_up_limit: int = Field(default=10, ge=1)
    grace: Length = 60 * _SECOND
    concurrency: int = Field(default=1, ge=1)
    retries: int = Field(default=3, ge=0)
    backoff: Length = 60 * _SECOND
    budget: JobBudget = JobBudget()
    enabled: bool = True

    @field_validator("timezone")
    @classmethod
    def _zone_exists(cls, value: str) -> str:
        zone_of(value)
        return value

    @model_validator(mode="after")
    def _one_trigger(self) -> Job:
        if (self.cron is None) == (self.interval is None):
            raise ValueError("a job has either cron or interval; write one of them")
        if self.interval is not None and self.interval < _SHORTEST:
            raise ValueError("interval must be at least 0.1 s")
        if self.cron is not None:
            try:
                first = self.slots.next(0)
            except ValueError as error:
                raise ValueError(f'cron {self.cron!r}: {error}; write for example "15 3 * * *"') from error
            if first is None:
                raise ValueError(f'cron {self.cron!r} never comes; write for example "15 3 * * *"')
        return self

    @cached_property
    def slots(self) -> Slots:
        """When the job is due."""
        if self.interval is not None:
            return Every(self.interval)
        assert self.cron is not None
        return Cron(self.cron, zone_of(self.timezone))

    @property
    def does(self) -> str:
        """The name of its action: by default its own."""
        return self.action or self.name

    def claim_at(self, target: str, slot: int) -> int:
        """From when on the run of `target` may begin: the slot, and the target's own jitter."""
        return slot + jitter_of(self.name, target, slot, self.jitter)

    @property
    def schedule(self) -> str:
        """The trigger in words."""
        if self.interval is not None:
            return f"every {shown_length(self.interval)}"
        return f"{self.cron} {self.timezone}"


class WorkerSettings(_Part):
    """How a worker works; explained in `jobs.yaml`. Lengths are microseconds."""

    threads: int = Field(default=2, ge=1)
    lease: Length = 60 * _SECOND
    poll: Length = 5 * _SECOND
    stop_within: Length = 20 * _SECOND
    keep_history: Length = 90 * 86400 * _SECOND


class JobsConfig(_Part):
    """All jobs by name, and how a worker works."""

    worker: WorkerSettings = WorkerSettings()
    jobs: dict[str, Job] = {}

    def job(self, name: str) -> Job:
        """The job `name`. Raises `UnknownJob`."""
        found = self.jobs.get(name)
        if found is None:
            there = ", ".join(self.jobs) or "none"
            raise UnknownJob(f"There is no job {name!r}; there are: {there}. Add it to {FILE} in $MEMORIA_CONFIGS.")
        return found


def load_jobs(folder: Path | None = None) -> JobsConfig:
    """The packaged jobs, changed and joined by those of `folder`'s `jobs.yaml`.

    Raises `InvalidInput` naming the file, the job and the key when one cannot be taken.
    """
    values = _read(_PACKAGED)
    place = _PACKAGED
    if folder is not None and (folder / FILE).exists():
        place = folder / FILE
        values = _joined(values, _read(place))
    return jobs_of(values, str(place))


def jobs_of(values: dict[str, Any], place: str) -> JobsConfig:
    """Jobs from plain values, as `jobs.yaml` has them; `place` is named in errors."""
    jobs = _mapping(values.get("jobs"), place, "jobs")
    whole = {name: _mapping(keys, place, f"job {name}") | {"name": name} for name, keys in jobs.items()}
    try:
        return JobsConfig.model_validate(values | {"jobs": whole})
    except ValidationError as error:
        first = error.errors()[0]
        where, *keys = [str(part) for part in first["loc"]] or [""]
        if where == "jobs" and keys:
            where, *keys = f"job {keys[0]}", *keys[1:]
        said = first["msg"].removeprefix("Value error, ")
        named = ": ".join([place, where, *([".".join(keys)] if keys else [])])
        raise InvalidInput(f"{named}: {said}; correct it (every key is explained in configs/{FILE}).") from error


def zone_of(name: str) -> tzinfo:
    """A time zone by its name. Raises `ValueError`."""
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"there is no time zone {name!r}; write one such as Europe/Lisbon") from error


def shown_length(micros: int) -> str:
    """A length of time as `jobs.yaml` writes it."""
    for unit, seconds in reversed(_UNITS.items()):
        if micros and micros % (seconds * _SECOND) == 0:
            return f"{micros // (seconds * _SECOND)}{unit}"
    return f"{micros / _SECOND:g}s"


def _joined(packaged: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """`own` over `packaged`, key by key in each job; whoever names a trigger of their own loses the packaged one."""
    found = dict(packaged)
    for key, value in own.items():
        if isinstance(value, dict) and isinstance(found.get(key), dict):
            mine, theirs = cast("dict[str, Any]", value), cast("dict[str, Any]", found[key])
            if mine.keys() & {"cron", "interval"}:
                theirs = {name: each for name, each in theirs.items() if name not in ("cron", "interval")}
            found[key] = _joined(theirs, mine)
        else:
            found[key] = value
    return found


def _mapping(value: Any, place: str, what: str) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise InvalidInput(f"{place}: {what} must hold keys and values; see configs/{FILE} in memoria's repository.")
    return cast("dict[str, Any]", value)


def _read(path: Path) -> dict[str, Any]:
    try:
        values: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise InvalidInput(f"{path} is not YAML ({error}); correct it.") from error
    return _mapping(values, str(path), "the file")
