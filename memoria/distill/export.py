"""A copy of an adapter for elsewhere, out of the home's reach.

What enters: an adapter's files. What leaves: a folder in PEFT's layout, as vLLM's and llama.cpp's tools take it, with a
manifest of ids beside; or, with a password, one encrypted file of the same. The manifest says what to ask for when
something is forgotten: what left the home, nothing here can take back.

An encrypted file: `_MAGIC`, 16 bytes of salt, 12 of nonce, then AES-256-GCM (with all before it as associated data) of
a tar; the key is scrypt(n=2^15, r=8, p=1) of the password.
"""

from __future__ import annotations

import io
import json
import secrets
import shutil
import tarfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from memoria.errors import InvalidInput, ModelUnavailable

MANIFEST = "manifest.json"
_CONFIG = "adapter_config.json"
_MAGIC = b"memoria adapter 1\n"
_SALT, _NONCE = 16, 12


def export(source: Path, target: Path, base: str, manifest: Mapping[str, Any], password: str | None) -> None:
    """Copy the files in `source` to the new folder `target` with a `manifest`; with a password, into one new file.

    PEFT's configuration names `base` where it named no model. Raises `InvalidInput` where `target` is there already or
    cannot be written, `ModelUnavailable` where the package that encrypts is missing.
    """
    check_target(target, password)
    files = {path.relative_to(source).as_posix(): path.read_bytes() for path in _files(source)}
    if _CONFIG in files:
        files[_CONFIG] = _named(files[_CONFIG], base)
    files[MANIFEST] = json.dumps(dict(manifest), indent=2, sort_keys=True).encode()
    with _whole(target) as part:
        if password is not None:
            part.write_bytes(_locked(_packed(files), password))
        else:
            _write(files, part)


def check_target(target: Path, password: str | None) -> None:
    """Raise what `export` would, before anything is written."""
    if target.exists():
        raise InvalidInput(f"{target} is there already; name a new {'folder' if password is None else 'file'}.")
    if password is not None:
        if not password:
            raise InvalidInput("The password is empty; give one, or export without.")
        _cryptography()


def unlock(file: Path, target: Path, password: str) -> None:
    """Decrypt an exported file into the new folder `target`. Raises `InvalidInput` for a wrong password, no such file,
    or where `target` is there already or cannot be written."""
    if target.exists():
        raise InvalidInput(f"{target} is there already; name a new folder.")
    try:
        data = file.read_bytes()
    except OSError as error:
        raise InvalidInput(f"{file} cannot be read ({error.strerror}); name what was exported.") from error
    head = len(_MAGIC) + _SALT + _NONCE
    if not data.startswith(_MAGIC) or len(data) < head:
        raise InvalidInput(f"{file} is no encrypted adapter; name what was exported with a password.")
    salt, nonce = data[len(_MAGIC) : len(_MAGIC) + _SALT], data[head - _NONCE : head]
    ciphers, errors = _cryptography()
    try:
        packed = ciphers.AESGCM(_key(password, salt)).decrypt(nonce, data[head:], data[:head])
    except errors.InvalidTag as error:
        raise InvalidInput(f"{file} does not open with this password, or was changed.") from error
    with _whole(target) as part, tarfile.open(fileobj=io.BytesIO(packed)) as tar:
        tar.extractall(part, filter="data")


@contextmanager
def _whole(target: Path) -> Generator[Path]:
    """Where to write what is to be `target`: it is there whole or not at all."""
    part = target.with_name(f".{target.name}.part")
    try:
        _remove(part)  # what a killed export left
        target.parent.mkdir(parents=True, exist_ok=True)
        yield part
        part.rename(target)
    except OSError as error:
        raise InvalidInput(f"{target} cannot be written ({error.strerror}); name another place.") from error
    finally:
        with suppress(OSError):
            _remove(part)


def _remove(part: Path) -> None:
    if part.is_dir():
        shutil.rmtree(part)
    else:
        part.unlink(missing_ok=True)


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _named(config: bytes, base: str) -> bytes:
    """PEFT's configuration, with the model that the adapter was made for."""
    values: dict[str, Any] = json.loads(config)
    values["base_model_name_or_path"] = values.get("base_model_name_or_path") or base
    return json.dumps(values, indent=2, sort_keys=True).encode()


def _write(files: Mapping[str, bytes], folder: Path) -> None:
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def _packed(files: Mapping[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name, data in sorted(files.items()):
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    return packed.getvalue()


def _locked(data: bytes, password: str) -> bytes:
    ciphers, _ = _cryptography()
    salt, nonce = secrets.token_bytes(_SALT), secrets.token_bytes(_NONCE)
    head = _MAGIC + salt + nonce
    sealed: bytes = ciphers.AESGCM(_key(password, salt)).encrypt(nonce, data, head)
    return head + sealed


def _key(password: str, salt: bytes) -> bytes:
    derived: Any = import_module("cryptography.hazmat.primitives.kdf.scrypt")
    key: bytes = derived.Scrypt(salt=salt, length=32, n=2**15, r=8, p=1).derive(password.encode())
    return key


def _cryptography() -> tuple[Any, Any]:
    try:
        return import_module("cryptography.hazmat.primitives.ciphers.aead"), import_module("cryptography.exceptions")
    except ImportError as error:
        raise ModelUnavailable(
            "Encrypting needs the package cryptography; install it with: pip install 'memoria-lifelong[export]'"
        ) from error
