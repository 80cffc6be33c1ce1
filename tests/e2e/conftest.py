"""Fixtures of the end-to-end tests: one world for all of them, its logs shown on a failure."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from support import nsd, postfix
from support.daemon import Daemon
from support.world import World
from support.world import world as build_world

LOG_CHARACTERS = 6000


def _lacking() -> str:
    """What these tests need and do not have; "" when all is there."""
    if os.geteuid() != 0:
        return "root"
    if not postfix.available():
        return "Postfix"
    return "" if nsd.available() else "NSD"


@pytest.fixture(scope="session")
def world() -> Iterator[World]:
    """The world, without any daemon running."""
    if lacking := _lacking():
        if os.environ.get("POSTSEAL_E2E") == "required":
            pytest.fail(f"the end-to-end tests need {lacking}")
        pytest.skip(f"the end-to-end tests need {lacking}: sh contrib/test.sh brings it")
    # SIGTERM alone would end Python at once, and leave Postfix and the rest behind.
    signal.signal(signal.SIGTERM, lambda *_: pytest.exit("SIGTERM", returncode=143))
    directory = Path(tempfile.mkdtemp(prefix="postseal-e2e-"))
    directory.chmod(0o755)  # Postfix's own user has to get in
    try:
        with build_world(directory) as built:
            yield built
    finally:
        shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="session")
def normal(world: World) -> Daemon:
    """The daemon behind mx and submission: annotates only."""
    return world.daemons["normal"].start()


@pytest.fixture(scope="session")
def strict(world: World) -> Daemon:
    """The daemon that holds and rejects for DMARC."""
    return world.daemons["strict"].start()


@pytest.fixture(scope="session")
def options(world: World) -> Daemon:
    """The daemon with everything switched on that is off by default."""
    return world.daemons["options"].start()


@pytest.fixture(scope="session")
def deaf(world: World) -> Daemon:
    """The daemon whose name server never answers."""
    return world.daemons["deaf"].start()


@pytest.fixture(scope="session")
def unix(world: World) -> Daemon:
    """The daemon on a unix socket."""
    return world.daemons["unix"].start()


@pytest.fixture
def fragile(world: World) -> Iterator[Daemon]:
    """The daemon for tests that kill it, and for sendmail(1): fresh for each."""
    daemon = world.daemons["fragile"].start()
    yield daemon
    daemon.stop()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Put the ends of all logs beside a failure."""
    report = yield
    built = getattr(item, "funcargs", {}).get("world")
    if report.failed and isinstance(built, World):
        report.sections += [(title, text[-LOG_CHARACTERS:]) for title, text in built.logs() if text]
    return report
