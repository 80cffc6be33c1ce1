"""The OPTIONS section of postseal.toml(5), made from the option model.

NAME
    manual - every table and option with kind, default and text, as mdoc

GIVES
    MANUAL, for postseal_keys.manual, which puts the text into the page:

        python -m postseal.conf.manual --update

SEE ALSO
    conf/model.py, where the texts are; a test compares the page with them.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic.fields import FieldInfo

from postseal.conf import explain
from postseal.conf.kinds import Mode, Seconds
from postseal.conf.lines import Path as OptionPath
from postseal_keys.manual import fill, tag_list

PAGE = Path("man/postseal.toml.5")
_TOP = "These stand at the top of the file, before the first table."


def options() -> str:
    """Every table, the top first."""
    return "".join(_table(path) for path in explain.tables())


def _table(path: OptionPath) -> str:
    """One table as a subsection."""
    model = explain.model_at(path)
    assert model
    plain = {name: info for name, info in model.model_fields.items() if not _is_table(info)}
    items = [(f"Cm {info.alias or name}", _text(name, info)) for name, info in plain.items()]
    return f".Ss {_heading(path)}\n{_intro(path)}{tag_list(items)}"


def _heading(path: OptionPath) -> str:
    if not path:
        return "Top of the file"
    name = explain.dotted(path)
    return f"Each [[{name}]] table" if _is_array(path) else f"The [{name}] table"


def _intro(path: OptionPath) -> str:
    """What a table is about: its own text in the model."""
    if not path:
        return f"{_TOP}\n"
    above = explain.model_at(path[:-1])
    assert above
    for name, info in above.model_fields.items():
        if (info.alias or name) == path[-1]:
            return _roff(info.description or "")
    raise AssertionError(path)


def _roff(text: str) -> str:
    """Sentences on lines of their own, from tag_list's own hand."""
    return "\n".join(tag_list([("x", text)]).splitlines()[2:-1]) + "\n"


def _text(name: str, info: FieldInfo) -> str:
    """Kind, default and description of an option."""
    default = written(name, info)
    tail = f" Default: {default}." if default else " There is no default."
    return f"{kind(info)}. {info.description}{tail}"


def kind(info: FieldInfo) -> str:
    """What is written for the option, in a word or two."""
    annotation = info.annotation
    if get_origin(annotation) is Literal:
        return "One of " + ", ".join(f'"{word}"' for word in get_args(annotation))
    if get_args(Mode)[1] in info.metadata:
        return "Octal digits in quotes"
    if get_args(Seconds)[1] in info.metadata:
        return "Seconds, or a time such as 5m"
    if annotation is bool:
        return "true or false"
    if annotation is int:
        return "Number" if _limits(info) else "Seconds, a time such as 14d, true or false"
    if annotation is float:
        return "Number"
    if get_origin(annotation) is tuple:
        return "List of texts"
    if date in get_args(annotation):
        return "Date"
    if annotation is Path or Path in get_args(annotation):
        return "File name"
    return "Text"


def _limits(info: FieldInfo) -> bool:
    return any(type(one).__name__ in ("Le", "Lt") for one in info.metadata)


def written(name: str, info: FieldInfo) -> str:
    """The default as it would be written in the file; "" when the option must be given."""
    if name == "authserv_id":
        return "the host name"
    if info.is_required():
        return ""
    value: Any = info.get_default()
    if name == "socket_mode":
        return f'"{value:04o}"'
    match value:
        case None:
            return "none"
        case bool():
            return str(value).lower()
        case tuple():
            return "[" + ", ".join(f'"{one}"' for one in value) + "]"
        case str() | Path():
            return f'"{value}"'
    return f"{value:g}" if isinstance(value, float) else str(value)


def _is_table(info: FieldInfo) -> bool:
    return explain.model_in(info.annotation) is not None


def _is_array(path: OptionPath) -> bool:
    above = explain.model_at(path[:-1])
    assert above
    info = above.model_fields.get(str(path[-1]))
    return info is not None and get_origin(info.annotation) is tuple


MANUAL: Mapping[str, Callable[[], str]] = {"options": options}


def main(argv: Sequence[str] | None = None) -> int:
    """With --update bring the page up to date; without, print the section."""
    words = sys.argv[1:] if argv is None else argv
    if list(words) == ["--update"]:
        PAGE.write_text(fill(PAGE.read_text("utf-8"), MANUAL), "utf-8")
    else:
        sys.stdout.write(options())
    return 0


if __name__ == "__main__":
    sys.exit(main())
