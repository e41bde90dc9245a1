"""The durable memory of the sandbox: tables of JSON records behind one append-only journal.

Records live in memory and are read from there. ``put`` changes them at once; ``durable`` waits
until everything put so far is on the disk. Many requests share one fsync (group commit), and one
group is one line, so that a torn last line after ``kill -9`` drops the whole group or nothing.

Records are kept by reference: whoever changes one puts it again in the same step, without awaiting
in between, and no reader ever sees half a step.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
from concurrent.futures import ThreadPoolExecutor
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

Json = dict[str, Any]
Entry = tuple[str, str, Json | None]

JOURNAL = "journal.jsonl"
# A journal is rewritten at start once more than half of its entries have been replaced by later
# ones.
LIVE_SHARE_MIN = 0.5
COMPACT_ENTRIES_MIN = 1000


class JournalError(Exception):
    """The journal cannot be used: another sandbox holds it, or the disk refused a write."""


class Journal:
    """Tables of records by key; ``tables["charges"]["stripe:pi_…"]`` is one of them."""

    def __init__(self, folder: Path) -> None:
        """Name the folder that holds the journal; ``open`` reads it."""
        self.tables: dict[str, dict[str, Json]] = {}
        self._path = folder / JOURNAL
        self._file: IO[bytes] | None = None
        self._pending: dict[tuple[str, str], Json | None] = {}
        self._waiters: list[asyncio.Future[None]] = []
        self._wake = asyncio.Event()
        self._disk = ThreadPoolExecutor(max_workers=1, thread_name_prefix="journal")
        self._writer: asyncio.Task[None] | None = None

    def open(self) -> None:
        """Take the journal for this process, replay it and start the writer.

        Raises JournalError when another process holds it.
        """
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self._path.open("a+b")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise JournalError(f"Another sandbox already uses {self._path}.") from error
        entries = self._replay(self._file)
        live = sum(len(table) for table in self.tables.values())
        if entries > COMPACT_ENTRIES_MIN and live < entries * LIVE_SHARE_MIN:
            self._compact(self._file)
        self._writer = asyncio.create_task(self._write_groups())

    def table(self, name: str) -> dict[str, Json]:
        """All records of one table, oldest first; read only."""
        return self.tables.setdefault(name, {})

    def put(self, table: str, key: str, record: Json) -> None:
        """Set one record now and write it with the next group."""
        self.table(table)[key] = record
        self._note(table, key, record)

    def delete(self, table: str, key: str) -> None:
        """Forget one record now and in the journal."""
        if self.table(table).pop(key, None) is not None:
            self._note(table, key, None)

    async def durable(self) -> None:
        """Return once everything put before this call is on the disk.

        Raises JournalError if it cannot be.
        """
        if self._writer is None or self._writer.done():
            raise JournalError("The journal is closed.")
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        self._wake.set()
        await waiter

    async def close(self) -> None:
        """Write what is left and let the journal go."""
        if self._writer is not None and not self._writer.done():
            await self.durable()
            self._writer.cancel()
        self._disk.shutdown()
        if self._file is not None:
            self._file.close()

    def _note(self, table: str, key: str, record: Json | None) -> None:
        self._pending[table, key] = record
        self._wake.set()

    async def _write_groups(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._wake.wait()
            self._wake.clear()
            waiters, self._waiters = self._waiters, []
            line = self._take_group()
            try:
                if line:
                    await loop.run_in_executor(self._disk, self._append, line)
            except OSError as error:
                self._fail(waiters, error)
                raise
            for waiter in waiters:
                if not waiter.done():
                    waiter.set_result(None)

    def _take_group(self) -> bytes:
        if not self._pending:
            return b""
        group: list[Entry] = [(table, key, rec) for (table, key), rec in self._pending.items()]
        self._pending = {}
        return json.dumps(group, separators=(",", ":")).encode() + b"\n"

    def _append(self, line: bytes) -> None:
        assert self._file is not None
        self._file.write(line)
        self._file.flush()
        os.fsync(self._file.fileno())

    def _fail(self, waiters: list[asyncio.Future[None]], error: OSError) -> None:
        for waiter in waiters + self._waiters:
            if not waiter.done():
                waiter.set_exception(JournalError(f"The journal could not be written: {error}"))

    def _replay(self, file: IO[bytes]) -> int:
        """Read all whole lines, cut a torn last one off, and return how many entries were read."""
        file.seek(0)
        entries, good_end = 0, 0
        for line in file:
            if not line.endswith(b"\n"):
                break
            group: list[Entry] = json.loads(line)
            for table, key, record in group:
                self._apply(table, key, record)
            entries += len(group)
            good_end += len(line)
        file.truncate(good_end)
        return entries

    def _apply(self, table: str, key: str, record: Json | None) -> None:
        if record is None:
            self.table(table).pop(key, None)
        else:
            self.table(table)[key] = record

    def _compact(self, file: IO[bytes]) -> None:
        """Replace the journal by one that holds each live record once.

        The new file is written beside the old one and takes its name only when it is whole.
        """
        beside = self._path.with_suffix(".new")
        with beside.open("wb") as target:
            for name, table in self.tables.items():
                for key, record in table.items():
                    target.write(json.dumps([[name, key, record]]).encode() + b"\n")
            target.flush()
            os.fsync(target.fileno())
        replacement = beside.open("a+b")
        fcntl.flock(replacement, fcntl.LOCK_EX | fcntl.LOCK_NB)
        beside.replace(self._path)
        self._file = replacement
        file.close()
