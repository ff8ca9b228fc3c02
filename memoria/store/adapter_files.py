"""The files of adapters: written whole where nobody looks, then put in their place in one step.

What enters: a home, and folders of finished files. What leaves: `adapters/<row id>/` of each adapter, and what lies
there that nobody owns. Whoever makes an adapter works in a place of their own below `adapters/.making`, under a lock
that dies with them: a place whose lock is free was left by a killed process. A finished folder moves to its own place
inside the unit of work that writes its row: so whoever is the ledger's writer and sees a folder without a row sees one
that was left behind, never one that is about to be registered.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Collection, Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

FOLDER = "adapters"
_MAKING = ".making"
_BLOCK = 1 << 20


@dataclass(frozen=True)
class Place:
    """Where somebody makes, or made, an adapter: the files are to be in `folder`. `note` says what of."""

    folder: Path

    @property
    def lasting(self) -> bool:
        """Whether who failed there, or was killed, is to find it as they left it."""
        return "-" in self.folder.name

    @property
    def lock(self) -> Path:
        """Held by whoever works there."""
        return self.folder.with_suffix(".lock")

    @property
    def note(self) -> Path:
        """What is made there."""
        return self.folder.with_suffix(".note")

    def remove(self) -> None:
        """Remove what lies there. Only for who holds its lock. Raises `OSError`."""
        if self.folder.exists():
            shutil.rmtree(self.folder)
        self.note.unlink(missing_ok=True)
        self.lock.unlink(missing_ok=True)


class AdapterFiles:
    """The folder `adapters` of one home; made when first needed."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._folder = home / FOLDER
        self._making = self._folder / _MAKING

    @contextmanager
    def making(self, note: str, name: str | None = None) -> Generator[Place]:
        """A place to make an adapter in; what is left there at the end goes.

        One with a `name` (with a "-" in it) is found again as it was left by who failed in it, or was killed, unless
        its note says something else; others whose names begin alike, up to the "-", go. Raises `Timeout` while
        somebody works there.
        """
        self._making.mkdir(parents=True, exist_ok=True)
        if name is None:
            handle, path = tempfile.mkstemp(dir=self._making, suffix=".lock")  # a name that nobody else has
            os.close(handle)
            place = Place(Path(path).with_suffix(""))
        else:
            place = Place(self._making / name)
            for each in self.places():
                if each != place and each.folder.name.partition("-")[:2] == name.partition("-")[:2]:
                    with suppress(OSError):
                        self.clear(each)
        with FileLock(place.lock, timeout=-1 if name is None else 0, thread_local=False):
            try:
                _begin(place, note)
                yield place
            except BaseException:
                if name is None:
                    _discard(place)
                raise
            _discard(place)

    def places(self) -> list[Place]:
        """Where somebody makes an adapter, or was killed while they did."""
        with suppress(FileNotFoundError):
            return [Place(each) for each in sorted({path.with_suffix("") for path in self._making.iterdir()})]
        return []

    def clear(self, place: Place) -> bool:
        """Remove a place that nobody works in any more; False where somebody does. Raises `OSError`."""
        try:
            with FileLock(place.lock, timeout=0, thread_local=False):
                place.remove()
        except Timeout:
            return False
        return True

    def seal(self, folder: Path) -> dict[str, str]:
        """Make every file of a finished folder durable; the sha256 of each by its path below it. Raises `OSError`."""
        found: dict[str, str] = {}
        for path in sorted(each for each in folder.rglob("*") if each.is_file()):
            with path.open("rb") as file:
                os.fsync(file.fileno())
            found[path.relative_to(folder).as_posix()] = _sha256(path)
        for each in (folder, *(path for path in folder.rglob("*") if path.is_dir())):
            _sync(each)
        return found

    def put(self, made: Path, number: int) -> str:
        """Move a sealed folder to where those of adapter `number` belong; that place, relative to the home.

        Only inside the unit of work that writes the adapter's row: what lies there already belongs to nobody.
        """
        target = self._folder / str(number)
        if target.exists():
            shutil.rmtree(target)
        made.rename(target)
        _sync(self._folder)
        return target.relative_to(self._home).as_posix()

    def path(self, folder: str) -> Path:
        """Where an adapter's files lie."""
        return self._home / folder

    def damage(self, folder: str, files: Mapping[str, str]) -> str:
        """What is amiss with an adapter's files, in a few words; nothing where each is there as it was written."""
        for name, digest in sorted(files.items()):
            path = self._home / folder / name
            try:
                if _sha256(path) != digest:
                    return f"{name} is not what was written"
            except FileNotFoundError:
                return f"{name} is missing"
            except OSError as error:
                return f"{name} cannot be read ({error.strerror})"
        return "" if files else "it has no files"

    def remove(self, folder: str) -> None:
        """Remove an adapter's files. Raises `OSError`."""
        path = self._home / folder
        if folder and path.exists():
            shutil.rmtree(path)

    def strays(self, owned: Collection[str]) -> list[str]:
        """The folders, relative to the home, that are none of `owned`."""
        try:
            found = [each for each in sorted(self._folder.iterdir()) if each.name != _MAKING]
        except FileNotFoundError:
            return []
        names = [each.relative_to(self._home).as_posix() for each in found if each.is_dir()]
        return [each for each in names if each not in owned]


def _begin(place: Place, note: str) -> None:
    with suppress(FileNotFoundError):
        if place.note.read_text(encoding="utf-8") != note:
            shutil.rmtree(place.folder, ignore_errors=True)
    place.note.write_text(note, encoding="utf-8")
    place.folder.mkdir(exist_ok=True)


def _discard(place: Place) -> None:
    with suppress(OSError):  # who opens the home next tries again
        place.remove()


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
