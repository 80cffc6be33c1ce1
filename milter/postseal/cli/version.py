"""`postseal version`: what exactly is running here.

NAME
    version - versions of Postseal, Python and the libraries that judge mail

SEE ALSO
    postseal(8)
"""

from __future__ import annotations

import argparse
import os
import platform
from importlib import metadata
from typing import Any

from postseal import __version__

LIBRARIES = ("pymilter", "dkimpy", "pyspf", "authres", "dnspython", "cryptography", "pydantic")


def register(commands: Any) -> None:
    """Add this sub-command to the parser."""
    commands.add_parser(
        "version",
        help="print versions of everything that takes part",
        description="Print the versions of Postseal, Python and the libraries.",
    )


def main(args: argparse.Namespace) -> int:
    """Print one name and version on a line."""
    print(f"postseal {__version__}")
    print(f"python {platform.python_version()}")
    for name in LIBRARIES:
        print(f"{name} {installed(name)}")
    return os.EX_OK


def installed(name: str) -> str:
    """The version of an installed distribution; "missing" without one."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "missing"
