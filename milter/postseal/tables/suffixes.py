"""The public suffix list: what is above every organisation.

NAME
    suffixes - a list from a file, or the one that comes with publicsuffixlist

GIVEN
    the path of a list in the form of publicsuffix.org (Debian's package publicsuffix
    keeps one), or None.

GIVES
    Suffixes for core/dmarc/suffix.py, or SuffixListError: what is wrong, and what to do.

DOES NOT
    fetch lists, or notice by itself that one has grown old.  Private suffixes of the list
    (github.io) count like the others.

SEE ALSO
    publicsuffixlist, an optional dependency: pip install postseal[psl].
"""

from __future__ import annotations

from pathlib import Path
from typing import Any


class SuffixListError(Exception):
    """There is no usable list.  hint says what to do."""

    def __init__(self, what: str, hint: str) -> None:
        self.hint = hint
        super().__init__(what)


class SuffixList:
    """A public suffix list in memory.  Never changed after it was made."""

    __slots__ = ("_list",)

    def __init__(self, suffixes: Any) -> None:
        self._list = suffixes

    def organizational_domain(self, name: str, /) -> str:
        """One label below the longest public suffix; name itself if it is a suffix.

        A top-level domain that is not on the list counts as a public suffix.
        """
        found = self._list.privatesuffix(name)
        return found if isinstance(found, str) else name


def load(path: Path | None = None) -> SuffixList:
    """Read a list.  Raises SuffixListError, nothing else."""
    try:
        from publicsuffixlist import PublicSuffixList
    except ImportError:
        raise SuffixListError(
            "the Python package publicsuffixlist is not installed",
            "pip install publicsuffixlist, or use the tree walk, which needs no list",
        ) from None
    if path is None:
        return SuffixList(PublicSuffixList())
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SuffixListError(
            f"{path}: cannot be read: {error}",
            "apt-get install publicsuffix, or leave the path out to use the list of the package",
        ) from None
    rules = [line for line in text.splitlines() if line.strip() and not line.startswith("//")]
    if "com" not in rules:
        raise SuffixListError(
            f"{path}: is no public suffix list: it has no rule for com",
            "give the file public_suffix_list.dat of https://publicsuffix.org",
        )
    return SuffixList(PublicSuffixList(source=rules))
