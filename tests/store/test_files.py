"""Reading a home whose files come and go."""

from __future__ import annotations

import threading
from pathlib import Path

from memoria.store.files import contents, size_on_disk


def test_vanishing_files_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / "kept").write_bytes(b"x" * 5000)
    stop = threading.Event()

    def churn() -> None:
        folder = tmp_path / "gen"
        while not stop.is_set():
            folder.mkdir()
            for number in range(20):
                (folder / str(number)).write_bytes(b"y")
            for path in folder.iterdir():
                path.unlink()
            folder.rmdir()

    thread = threading.Thread(target=churn)
    thread.start()
    try:
        for _ in range(150):
            assert size_on_disk(tmp_path) >= 5000
            assert (tmp_path / "kept", b"x" * 5000) in list(contents(tmp_path))
    finally:
        stop.set()
        thread.join()
