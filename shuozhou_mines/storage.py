"""Keep files whole: written beside their place, flushed, then renamed; named by the server."""

import hashlib
import os
import tempfile
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings


@dataclass(frozen=True, slots=True)
class StoredFile:
    """Name a stored file under MEDIA_ROOT, with its size in bytes and its SHA-256."""

    name: str
    size: int
    sha256: str


def store(chunks: Iterable[bytes], *, folder: str, suffix: str) -> StoredFile:
    """Write the chunks under a new name; nothing is left behind when the disk is full.

    Raises OSError. The given file name plays no part: names are made here.
    """
    place = Path(settings.MEDIA_ROOT) / folder
    place.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    size = 0
    handle, temporary = tempfile.mkstemp(dir=place, prefix=".incoming-")
    try:
        with os.fdopen(handle, "wb") as file:
            for chunk in chunks:
                file.write(chunk)
                digest.update(chunk)
                size += len(chunk)
            file.flush()
            os.fsync(file.fileno())
        name = f"{folder}/{uuid.uuid4().hex}{suffix}"
        Path(temporary).chmod(0o640)
        Path(temporary).replace(Path(settings.MEDIA_ROOT) / name)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return StoredFile(name, size, digest.hexdigest())


def discard(stored: StoredFile) -> None:
    """Take back a file that no row names."""
    (Path(settings.MEDIA_ROOT) / stored.name).unlink(missing_ok=True)
