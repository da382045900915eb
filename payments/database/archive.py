"""The file of a back-up: a ZIP with the rows of each table as COPY writes them, and a manifest that says what is in it.

Any tool opens it (`unzip -l`). It is written and read piece by piece, so that its size needs no memory.
"""

import json
import os
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from pathlib import Path
from tempfile import mkstemp
from typing import Any
from zipfile import ZIP_DEFLATED, BadZipFile, ZipFile

FORMAT = 1
MANIFEST, SUFFIX = "manifest.json", ".copy"
CHUNK_BYTES = 1024 * 1024
# A third of the time of the usual 6, for files that are a tenth larger.
COMPRESSION = 2
# The longest manifest that anybody could have meant: a few hundred tables are 60 KB.
MANIFEST_MAX_BYTES = 16 * CHUNK_BYTES
UNREADABLE = (BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, KeyError, TypeError)


class BackupRefused(Exception):
    """Nothing was done, or all of it undone; the text says why in one sentence, and what helps."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What a back-up holds of one table. `sha256`: of its rows as text, a line each."""

    name: str
    columns: Sequence[str]
    rows: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a back-up says of itself. `made_at`: the moment of its snapshot, ISO. `sequences`: by "table.column"."""

    product_version: str
    site: str
    made_at: str
    server: str
    migrations: dict[str, list[str]]
    tables: list[Entry]
    sequences: dict[str, tuple[int, bool]]
    with_emulator: bool = False
    format: int = FORMAT

    @property
    def rows(self) -> int:
        """Of all tables."""
        return sum(each.rows for each in self.tables)


@dataclass(slots=True)
class Sum:
    """Counts and sums up rows as they pass."""

    rows: int = 0
    digest: Any = field(default_factory=sha256)

    def add(self, chunk: bytes) -> None:
        """COPY writes a line end inside a value as two letters: each that stands there ends a row."""
        self.rows += chunk.count(b"\n")
        self.digest.update(chunk)

    def fits(self, entry: Entry) -> bool:
        """Whether this is what the manifest tells."""
        return (self.rows, self.digest.hexdigest()) == (entry.rows, entry.sha256)


class Writer:
    """An unfinished back-up."""

    def __init__(self, file: ZipFile) -> None:
        self.file = file

    def add(self, name: str, columns: Sequence[str], chunks: Iterable[bytes | memoryview]) -> Entry:
        """Write the rows of one table."""
        told = Sum()
        with self.file.open(name + SUFFIX, "w", force_zip64=True) as member:
            for chunk in chunks:
                told.add(bytes(chunk))
                member.write(chunk)
        return Entry(name, columns, told.rows, told.digest.hexdigest())

    def finish(self, manifest: Manifest) -> None:
        """Say what was written."""
        self.file.writestr(MANIFEST, json.dumps(asdict(manifest), indent=1))


@contextmanager
def new_archive(target: Path) -> Iterator[Writer]:
    """A file that only its owner reads, and that is there once it is whole. Raises BackupRefused, also if it exists."""
    unfinished: Path | None = None
    try:
        _require_new(target)
        handle, name = mkstemp(dir=target.parent, prefix=f".{target.name}.")  # mode 0600
        unfinished = Path(name)
        with os.fdopen(handle, "wb") as raw:
            with ZipFile(raw, "w", ZIP_DEFLATED, compresslevel=COMPRESSION) as file:
                yield Writer(file)
            raw.flush()
            os.fsync(raw.fileno())
        _require_new(target)
        unfinished.rename(target)
    except OSError as error:
        raise BackupRefused(f"{target} cannot be written: {error.strerror or error}.") from error
    finally:
        if unfinished is not None:
            unfinished.unlink(missing_ok=True)


def _require_new(target: Path) -> None:
    if target.exists():
        raise BackupRefused(f"{target} is there already: choose another name, nothing is overwritten.")


class Archive:
    """A back-up that is read."""

    def __init__(self, path: Path, file: ZipFile) -> None:
        self.path, self.file = path, file
        self.manifest = self._read_manifest()

    def chunks(self, entry: Entry) -> Iterator[bytes]:
        """The rows of one table, as they were written."""
        with self.damage_told(entry.name), self.file.open(entry.name + SUFFIX) as member:
            while chunk := member.read(CHUNK_BYTES):
                yield chunk

    def check(self) -> None:
        """Read all of it. Raises BackupRefused for what is not as the manifest says."""
        told = {MANIFEST, *(each.name + SUFFIX for each in self.manifest.tables)}
        if odd := told.symmetric_difference(self.file.namelist()):
            raise self.damaged(f"its manifest and its contents differ ({', '.join(sorted(odd))})")
        for entry in self.manifest.tables:
            found = Sum()
            for chunk in self.chunks(entry):
                found.add(chunk)
            if not found.fits(entry):
                raise self.damaged(f"{entry.name} is not what was written ({found.rows} rows, {entry.rows} told)")

    def damaged(self, how: str) -> BackupRefused:
        return BackupRefused(f"{self.path} is damaged: {how}. Nothing was changed; take another back-up.")

    @contextmanager
    def damage_told(self, what: str) -> Iterator[None]:
        """What the reading of a file raises, as a sentence."""
        try:
            yield
        except UNREADABLE as error:
            raise self.damaged(f"{what} cannot be read ({error})") from error

    def _read_manifest(self) -> Manifest:
        with self.damage_told("its manifest"):
            if self.file.getinfo(MANIFEST).file_size > MANIFEST_MAX_BYTES:
                raise ValueError("too long")
            told = json.loads(self.file.read(MANIFEST))
            if (form := told.get("format")) != FORMAT:
                raise BackupRefused(f"{self.path} has format {form!r}, and this version reads format {FORMAT} only.")
            return Manifest(**{**told, "tables": [Entry(**each) for each in told["tables"]]})


@contextmanager
def open_archive(path: Path) -> Iterator[Archive]:
    """Read a back-up. Raises BackupRefused where there is none, or none that is whole."""
    with _opened(path) as file:
        yield Archive(path, file)


@contextmanager
def _opened(path: Path) -> Iterator[ZipFile]:
    try:
        file = ZipFile(path)
    except BadZipFile as error:
        raise BackupRefused(f"{path} is no whole back-up: it was cut off, or is another kind of file.") from error
    except OSError as error:
        raise BackupRefused(f"{path} cannot be read: {error.strerror or error}.") from error
    try:
        yield file
    finally:
        with suppress(OSError):
            file.close()
