"""The academy's database: courses, lessons, people, orders and the mail that was caught, in SQLite."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import sqlite3
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

TABLES = """
CREATE TABLE IF NOT EXISTS course (id INTEGER PRIMARY KEY, title TEXT, teacher TEXT, summary TEXT, cents INTEGER);
CREATE TABLE IF NOT EXISTS lesson (course_id INTEGER, number INTEGER, title TEXT, minutes INTEGER);
CREATE TABLE IF NOT EXISTS person (email TEXT PRIMARY KEY, salt BLOB, password BLOB);
CREATE TABLE IF NOT EXISTS purchase (id INTEGER PRIMARY KEY, email TEXT, course_id INTEGER, at TEXT DEFAULT CURRENT_TIMESTAMP);
CREATE TABLE IF NOT EXISTS membership (id INTEGER PRIMARY KEY, email TEXT, cents INTEGER,
                                       started TEXT DEFAULT CURRENT_TIMESTAMP, ended TEXT);
CREATE TABLE IF NOT EXISTS mail (id INTEGER PRIMARY KEY, sender TEXT, recipient TEXT, subject TEXT, text TEXT,
                                 at TEXT DEFAULT CURRENT_TIMESTAMP);
"""
COURSES = [
    ("Sums that surprise", "Ada", "Series, from the geometric one to those that should not converge.", 4900),
    ("Proofs from scratch", "Emmy", "What a proof is, and forty small ones that you write yourself.", 5900),
    ("The night sky in numbers", "Caroline", "Find planets with a notebook and a spreadsheet.", 3900),
    ("Compilers by hand", "Grace", "From characters to machine code, one pass a week.", 7900),
    ("Statistics for sceptics", "Florence", "Charts that tell the truth, and tests that can fail.", 4500),
    ("Circuits and switches", "Hedy", "Radio, relays and hopping frequencies.", 5200),
]
LESSONS = ["Where we are going", "The first idea", "Practice", "A harder case", "What we left out"]
MONTHLY = 1900  # cents, for all courses
DEMO = ("student@example.test", "learn-something")  # the account that the sign-in page offers


class Academy:
    """All that the site reads and writes; each call has a connection of its own."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.connection: type[sqlite3.Connection] = sqlite3.Connection  # or one that tells of its queries
        path.parent.mkdir(parents=True, exist_ok=True)
        with self._open() as db:
            db.execute("PRAGMA journal_mode=WAL")
            db.executescript(TABLES)
            if not db.execute("SELECT 1 FROM course").fetchone():
                db.executemany("INSERT INTO course (title, teacher, summary, cents) VALUES (?, ?, ?, ?)", COURSES)
                rows = [
                    (course, number, title, 5 + 7 * number)
                    for course in range(1, len(COURSES) + 1)
                    for number, title in enumerate(LESSONS, 1)
                ]
                db.executemany("INSERT INTO lesson VALUES (?, ?, ?, ?)", rows)
        self.sign_up(*DEMO)

    @contextmanager
    def _open(self) -> Generator[sqlite3.Connection]:
        with closing(sqlite3.connect(self._path, timeout=5, factory=self.connection)) as db, db:
            db.row_factory = sqlite3.Row
            yield db

    def _rows(self, query: str, *values: Any) -> list[dict[str, Any]]:
        with self._open() as db:
            return [dict(row) for row in db.execute(query, values)]

    def courses(self) -> list[dict[str, Any]]:
        return self._rows("SELECT * FROM course ORDER BY id")

    def course(self, number: int) -> dict[str, Any] | None:
        found = self._rows("SELECT * FROM course WHERE id = ?", number)
        if not found:
            return None
        lessons = self._rows("SELECT number, title, minutes FROM lesson WHERE course_id = ? ORDER BY number", number)
        return {**found[0], "lessons": lessons}

    def sign_up(self, email: str, password: str) -> None:
        salt = os.urandom(16)
        with self._open() as db:
            db.execute("INSERT OR IGNORE INTO person VALUES (?, ?, ?)", (email, salt, _digest(password, salt)))

    def knows(self, email: str, password: str) -> bool:
        found = self._rows("SELECT salt, password FROM person WHERE email = ?", email)
        salt, kept = (found[0]["salt"], found[0]["password"]) if found else (b"", secrets.token_bytes(32))
        return hmac.compare_digest(_digest(password, salt), kept)  # as slow for a stranger as for a friend

    def buy(self, email: str, course_id: int) -> int:
        with self._open() as db:
            return (
                db.execute("INSERT INTO purchase (email, course_id) VALUES (?, ?)", (email, course_id)).lastrowid or 0
            )

    def bought(self, email: str) -> list[dict[str, Any]]:
        return self._rows(
            "SELECT course.title, purchase.at FROM purchase JOIN course ON course.id = course_id WHERE email = ?", email
        )

    def lesson(self, course_id: int, number: int) -> dict[str, Any] | None:
        found = self._rows(
            "SELECT lesson.*, course.title AS course FROM lesson JOIN course ON course.id = course_id"
            " WHERE course_id = ? AND number = ?",
            course_id,
            number,
        )
        return found[0] if found else None

    def member(self, email: str) -> bool:
        return bool(self._rows("SELECT 1 FROM membership WHERE email = ? AND ended IS NULL", email))

    def join(self, email: str) -> None:
        with self._open() as db:
            db.execute("INSERT INTO membership (email, cents) VALUES (?, ?)", (email, MONTHLY))

    def leave(self, email: str) -> None:
        with self._open() as db:
            db.execute("UPDATE membership SET ended = CURRENT_TIMESTAMP WHERE email = ? AND ended IS NULL", (email,))

    def memberships(self) -> list[dict[str, Any]]:
        return self._rows("SELECT email, cents, started, ended FROM membership")

    def sales(self) -> list[dict[str, Any]]:
        return self._rows("SELECT email, title, cents, at FROM purchase JOIN course ON course.id = course_id")

    def report(self) -> list[dict[str, Any]]:
        """Count what was sold; slow on purpose, with a join that nobody should write."""
        with self._open() as db:
            db.execute(
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000000) SELECT max(i) FROM n"
            ).fetchone()
        return self._rows(
            "SELECT course.title, count(purchase.id) AS sold, sum(CASE WHEN purchase.id THEN cents ELSE 0 END) AS cents"
            " FROM course LEFT JOIN purchase ON course.id = course_id GROUP BY course.id ORDER BY course.id"
        )

    def catch(self, sender: str, recipient: str, subject: str, text: str) -> None:
        with self._open() as db:
            values = (sender, recipient, subject, text)
            db.execute("INSERT INTO mail (sender, recipient, subject, text) VALUES (?, ?, ?, ?)", values)

    def mail(self) -> list[dict[str, Any]]:
        return self._rows("SELECT sender, recipient AS 'to', subject, text, at FROM mail ORDER BY id DESC LIMIT 100")


def _digest(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=2**13, r=8, p=1)
