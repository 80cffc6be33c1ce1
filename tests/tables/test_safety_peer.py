"""Key safety against opendkim's RequireSafeKeys: the same files are refused.

One difference, on purpose: a directory with the sticky bit is accepted.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from postseal.tables.safety import Inspector
from support import opendkim
from support.opendkim import Outcome
from support.sites import private

pytestmark = [
    pytest.mark.skipif(opendkim.OPENDKIM is None, reason="opendkim is not installed"),
    pytest.mark.skipif(os.getuid() != 0, reason="only root can give files away"),
]

NOBODY = 65534
DAEMON_GROUP = 1  # has the user daemon in it


@pytest.fixture
def folder() -> Iterator[Path]:
    """Not below /tmp, where opendkim finds every key unsafe."""
    path = Path(tempfile.mkdtemp(prefix="postseal-test-", dir="/var/lib"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


@pytest.mark.parametrize(
    ("file_mode", "file_owner", "folder_mode", "folder_owner", "is_safe"),
    [
        pytest.param(0o600, (0, 0), 0o755, (0, 0), True, id="plain"),
        pytest.param(0o400, (0, 0), 0o700, (0, 0), True, id="closed"),
        pytest.param(0o640, (0, 0), 0o755, (0, 0), True, id="group-root"),
        pytest.param(0o640, (0, DAEMON_GROUP), 0o755, (0, 0), False, id="group-with-others"),
        pytest.param(0o620, (0, DAEMON_GROUP), 0o755, (0, 0), False, id="group-may-write"),
        pytest.param(0o644, (0, 0), 0o755, (0, 0), False, id="others-read"),
        pytest.param(0o602, (0, 0), 0o755, (0, 0), False, id="others-write"),
        pytest.param(0o600, (NOBODY, 0), 0o755, (0, 0), False, id="other-owner"),
        pytest.param(0o600, (0, 0), 0o777, (0, 0), False, id="folder-others-write"),
        pytest.param(0o600, (0, 0), 0o775, (0, DAEMON_GROUP), False, id="folder-group-writes"),
        pytest.param(0o600, (0, 0), 0o775, (0, 0), True, id="folder-group-root-writes"),
        pytest.param(0o600, (0, 0), 0o755, (NOBODY, 0), False, id="folder-other-owner"),
        pytest.param(0o600, (0, 0), 0o555, (NOBODY, 0), True, id="folder-other-owner-read-only"),
        pytest.param(0o644, (0, 0), 0o700, (0, 0), False, id="others-read-in-closed"),
        pytest.param(0o600, (NOBODY, 0), 0o700, (0, 0), False, id="other-owner-in-closed"),
    ],
)
def test_same_verdict(
    file_mode: int,
    file_owner: tuple[int, int],
    folder_mode: int,
    folder_owner: tuple[int, int],
    is_safe: bool,
    folder: Path,
    tmp_path: Path,
) -> None:
    key = private(folder / "keys" / "k")
    os.chown(key, *file_owner)
    key.chmod(file_mode)
    os.chown(key.parent, *folder_owner)
    key.parent.chmod(folder_mode)
    options = [
        f"KeyTable csl:k=example.com:s:{key}",
        "SigningTable csl:*=k",
        "RequireSafeKeys yes",
    ]
    [theirs] = opendkim.outcomes(tmp_path, options, ["a@example.com"])
    assert (theirs != Outcome(fault="tempfail")) is is_safe
    assert (Inspector(0).inspect(key) is None) is is_safe


def test_the_sticky_bit_makes_the_difference(folder: Path, tmp_path: Path) -> None:
    key = private(folder / "keys" / "k")
    key.parent.chmod(0o1777)
    options = [f"KeyTable csl:k=a.b:s:{key}", "SigningTable csl:*=k", "RequireSafeKeys yes"]
    assert opendkim.outcomes(tmp_path, options, ["a@b.c"]) == [Outcome(fault="tempfail")]
    assert Inspector(0).inspect(key) is None
