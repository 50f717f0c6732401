"""Fixtures for pytest, there wherever this package is installed; nothing of it is loaded before one is used."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .kit import Clock


@pytest.fixture
def nexus_fresh() -> Generator[None]:
    """Begin and end with no counts, blocks or bans."""
    from .kit import reset

    reset()
    yield
    reset()


@pytest.fixture
def nexus_clock(nexus_fresh: None) -> Generator[Clock]:  # noqa: ARG001  # it comes first
    """Let time stand still, from no counts on: `nexus_clock.advance(60)`."""
    from .kit import freeze

    with freeze() as clock:
        yield clock


@pytest.fixture
def nexus_unlimited() -> Generator[None]:
    """Let nobody be limited."""
    from .kit import disable

    with disable():
        yield
