"""Long lists and sets on disk: memory does not grow with what they hold, and nothing of them is left behind.

Each lies in a database without a name, which the system removes with the process, however that ends.
"""

import pickle
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item")
CACHE = -256  # kB of a database that stay in memory


class StoredList(Sequence, Generic[Item]):
    """Items in the order of their keys, of equal keys as they come; best read one after the other."""

    def __init__(self, items: Iterable[Item], key: Callable[[Item], str] = lambda item: ""):
        self._rows = _database()
        self._rows.execute("create table come (key blob, item blob)")
        packed = ((_bytes(key(item)), pickle.dumps(item, pickle.HIGHEST_PROTOCOL)) for item in items)
        self._rows.executemany("insert into come values (?, ?)", packed)
        self._rows.execute("create table sorted (place integer primary key, item blob)")
        self._rows.execute("insert into sorted (item) select item from come order by key, rowid")
        self._rows.execute("drop table come")
        (self._count,) = self._rows.execute("select count(*) from sorted").fetchone()

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Item]:
        for (item,) in self._rows.execute("select item from sorted order by place"):
            yield pickle.loads(item)  # our own: nobody else can reach a file without a name

    def __getitem__(self, place):
        if isinstance(place, slice):
            return [self[i] for i in range(*place.indices(len(self)))]
        wanted = place + (len(self) if place < 0 else 0)
        row = self._rows.execute("select item from sorted where place = ?", (wanted + 1,)).fetchone()
        if row is None:
            raise IndexError(f"{place} of {len(self)}")
        return pickle.loads(row[0])


class StoredSet:
    """Distinct texts."""

    def __init__(self):
        self._rows, self._count = _database(), 0
        self._rows.execute("create table seen (text blob primary key) without rowid")

    def __len__(self) -> int:
        return self._count

    def add(self, text: str) -> bool:
        """Whether ``text`` is new."""
        new = self._rows.execute("insert or ignore into seen values (?)", (_bytes(text),)).rowcount == 1
        self._count += new
        return new


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")  # names of files may be no text; bytes keep the order of text


def _database() -> sqlite3.Connection:
    database = sqlite3.connect("")
    database.execute(f"pragma cache_size = {CACHE}")
    database.execute("pragma journal_mode = off")  # nothing is ever taken back
    return database
