"""Plain values as the text of a postseal.toml.

NAME
    migrate_toml - render(): the top first, then every table

DOES NOT
    know options: the result is read back and checked by whoever asked for it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def render(tree: Mapping[str, Any], comment: str = "") -> str:
    """The text.  Tables are values of kind dict, arrays of tables lists of dict."""
    lines = [f"# {line}" for line in comment.splitlines()]
    _table(tree, "", lines)
    return "\n".join(lines).strip("\n") + "\n"


def _table(tree: Mapping[str, Any], path: str, lines: list[str]) -> None:
    """One level of tables; there is one more at most (sign.key)."""
    tables = {name: value for name, value in tree.items() if _is_table(value)}
    lines += [f"{name} = {value_text(value)}" for name, value in tree.items() if name not in tables]
    for name, value in tables.items():
        full = f"{path}.{name}" if path else name
        for one in value if isinstance(value, list) else [value]:
            lines += ["", f"[[{full}]]" if isinstance(value, list) else f"[{full}]"]
            _table(one, full, lines)


def _is_table(value: Any) -> bool:
    return isinstance(value, dict) or (
        isinstance(value, list) and bool(value) and isinstance(value[0], dict)
    )


def value_text(value: Any) -> str:
    """One value as TOML."""
    match value:
        case bool():
            return str(value).lower()
        case int() | float():
            return str(value)
        case list() | tuple():
            return "[" + ", ".join(map(value_text, value)) + "]"
    return '"' + re.sub(r'["\\\x00-\x1f\x7f]', _escaped, str(value)) + '"'


def _escaped(match: re.Match[str]) -> str:
    return _ESCAPES.get(match[0], f"\\u{ord(match[0]):04x}")
