"""The option lists of postseal(8), made from the parsers.

NAME
    manual - one list per sub-command, as mdoc

GIVES
    MANUAL, for postseal_keys.manual, which puts the lists into the page:

        python -m postseal.cli.manual --update
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from postseal.cli.main import COMMANDS, parser
from postseal_keys.manual import fill, tag_list

PAGE = Path("man/postseal.8")


def command(name: str) -> str:
    """The options and arguments of a sub-command."""
    found = [
        action for action in _parser(name)._actions if not isinstance(action, argparse._HelpAction)
    ]
    if not found:
        return "It has no options.\n"
    return tag_list((_heading(action), _text(action)) for action in found)


def _parser(name: str) -> argparse.ArgumentParser:
    """The parser of a sub-command."""
    [group] = [
        action for action in parser(name)._actions if isinstance(action, argparse._SubParsersAction)
    ]
    made: argparse.ArgumentParser = group.choices[name]
    return made


def _heading(action: argparse.Action) -> str:
    value = str(action.metavar or action.dest).lower()
    if not action.option_strings:
        return f"Ar {value}"
    forms = [f"Fl {option.removeprefix('-')}" for option in action.option_strings]
    return (
        " , ".join(forms) if action.nargs == 0 else " , ".join(f"{one} Ar {value}" for one in forms)
    )


def _text(action: argparse.Action) -> str:
    """The help text as a sentence."""
    text = (action.help or "").strip()
    return f"{text[:1].upper()}{text[1:]}."


MANUAL: Mapping[str, Callable[[], str]] = {name: partial(command, name) for name in COMMANDS}


def main(argv: Sequence[str] | None = None) -> int:
    """With --update bring the page up to date; without, print the lists."""
    words = sys.argv[1:] if argv is None else argv
    if list(words) == ["--update"]:
        PAGE.write_text(fill(PAGE.read_text("utf-8"), MANUAL), "utf-8")
    else:
        sys.stdout.writelines(f"{name}\n{make()}" for name, make in MANUAL.items())
    return 0


if __name__ == "__main__":
    sys.exit(main())
