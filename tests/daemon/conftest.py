"""A daemon with one worker, shared by the tests of a module that do not harm it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support import milterdaemon
from support.milterdaemon import Daemon
from support.stilltime import still

__all__ = ["still"]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    with milterdaemon.start(tmp_path_factory.mktemp("daemon"), ask_macros=["v"]) as daemon:
        yield daemon
