"""What a worker needs is loaded while it is still root: later it may not be readable.

Without its module dnspython gives a record as opaque octets, and idna raises ImportError.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow  # a Python of its own for every row
ROOT = Path(__file__).resolve().parents[2]

LOADED = """
import sys
import dns.rdata
import postseal.daemon.worker
import postseal.daemon.wiring
before = set(sys.modules)
{code}
print(*sorted(set(sys.modules) - before))
"""

RECORDS = {
    "TXT": "x",
    "A": "192.0.2.1",
    "AAAA": "2001:db8::1",
    "MX": "10 mx.example.",
    "PTR": "mx.example.",
    "CNAME": "mx.example.",
    "DNAME": "mx.example.",
    "NS": "ns.example.",
    "SOA": "ns.example. root.example. 1 2 3 4 5",
}


def _loaded_by(code: str) -> str:
    """The modules that code loads in a process that has loaded the worker."""
    path = f"{ROOT / 'milter'}:{ROOT / 'keys'}"
    done = subprocess.run(
        [sys.executable, "-c", LOADED.format(code=code)],
        env={"PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stdout.strip()


@pytest.mark.parametrize("kind", RECORDS)
def test_reading_a_record_loads_nothing(kind: str) -> None:
    code = f"dns.rdata.from_text('IN', '{kind}', '{RECORDS[kind]}')"
    assert _loaded_by(code) == ""


@pytest.mark.parametrize(
    "code",
    [
        pytest.param("'b\\xfccher'.encode('punycode')", id="punycode"),
        pytest.param("'\\x00'.encode('unicode_escape')", id="escapes-of-the-log"),
        pytest.param(
            "from postseal.core.names import ascii_domain; ascii_domain('b\\xfccher.example')",
            id="idna",
        ),
    ],
)
def test_text_of_senders_loads_nothing(code: str) -> None:
    assert _loaded_by(code) == ""


def test_the_measure_works() -> None:
    assert "wave" in _loaded_by("import wave")
