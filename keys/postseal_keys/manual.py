"""Manual pages in mdoc: the parts that are made from tables.

NAME
    manual - OPTIONS, and other lists, between two marks in a page

GIVEN
    a tool's table of options, or any list of terms and texts, and a page
    written by hand with the marks::

        .\\" BEGIN options: made by postseal_keys.manual
        .\\" END options

GIVES
    the page with what stands between the marks replaced.

        python -m postseal_keys.manual postseal_keys.genkey man/postseal-genkey.1

    does it for a tool: its module's MANUAL maps marks to functions that give
    the text.

DOES NOT
    write prose.
"""

from __future__ import annotations

import importlib
import sys
import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from postseal_keys.console import DATAERR, USAGE, Problem, run
from postseal_keys.options import Option, Takes, described

BEGIN = '.\\" BEGIN {}: made by postseal_keys.manual\n'
END = '.\\" END {}\n'


def option_list(options: Sequence[Option]) -> str:
    """The table as an mdoc list."""
    return tag_list((_heading(option), described(option)) for option in options)


def tag_list(items: Iterable[tuple[str, str]]) -> str:
    """Terms (mdoc macros allowed) and texts (plain) as an mdoc list."""
    lines = [".Bl -tag -width Ds"]
    for term, text in items:
        lines += [f".It {term}", *_paragraph(text)]
    lines.append(".El")
    return "\n".join(lines) + "\n"


def _heading(option: Option) -> str:
    """The forms of one option after .It: ``Fl d Ar name , Fl -domain Ns = Ns Ar name``."""
    forms = []
    value = option.value.lower()
    if option.short:
        forms.append(f"Fl {option.short}" + (f" Ar {value}" if value else ""))
    if option.long:
        forms.append(f"Fl -{option.long}" + (f" Ns = Ns Ar {value}" if value else ""))
        if option.takes is Takes.SWITCH and not option.quiet_no:
            forms.append(f"Fl -no-{option.long}")
    return " , ".join(forms)


def _paragraph(text: str) -> list[str]:
    """Plain text as roff lines: one sentence begins each, nothing is taken for a macro."""
    lines: list[str] = []
    for sentence in text.replace(". ", ".\n").split("\n"):
        lines += textwrap.wrap(sentence, 78, break_long_words=False, break_on_hyphens=False)
    return [escape(line) for line in lines]


def escape(line: str) -> str:
    """One line of text so that roff prints it as it is."""
    escaped = line.replace("\\", "\\e").replace("--", "\\-\\-")
    return f"\\&{escaped}" if escaped.startswith((".", "'")) else escaped


def splice(page: str, name: str, text: str) -> str:
    """The page with text between the marks of that name.  Raises Problem without marks."""
    begin, end = BEGIN.format(name), END.format(name)
    before, found, rest = page.partition(begin)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise Problem(f"the page has no marks for '{name}'", hint=begin + end, code=DATAERR)
    return f"{before}{begin}{text}{end}{after}"


def fill(page: str, parts: Mapping[str, Callable[[], str]]) -> str:
    """The page with every part made anew."""
    for name, make in parts.items():
        page = splice(page, name, make())
    return page


def main(argv: Sequence[str] | None = None) -> int:
    """Bring a page up to date: MODULE PAGE."""
    words = sys.argv[1:] if argv is None else argv

    def work() -> int:
        if len(words) != 2:
            raise Problem("expected a module and a page", hint="MODULE PAGE", code=USAGE)
        parts: Mapping[str, Callable[[], str]] = importlib.import_module(words[0]).MANUAL
        page = Path(words[1])
        page.write_text(fill(page.read_text("utf-8"), parts), "utf-8")
        return 0

    return run("postseal_keys.manual", work)


if __name__ == "__main__":
    sys.exit(main())
