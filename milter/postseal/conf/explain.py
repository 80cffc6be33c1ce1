"""What is wrong with an option, in words an administrator uses.

NAME
    explain - pydantic's findings as (path, what, hint)

GIVES
    one sentence per finding, with what was expected and what was there; for an
    unknown name the known one that looks most like it, or the table it belongs to.
"""

from __future__ import annotations

import difflib
import types
import typing
from typing import Any, get_args

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from postseal.conf.lines import Path
from postseal.conf.model import Settings

_EXPECTED = {
    "bool_type": "true or false",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "string_type": "text in quotes",
    "tuple_type": "a list, as [\"a\", \"b\"]",
    "model_type": "a table",
    "model_attributes_type": "a table",
    "path_type": "the name of a file in quotes",
    "is_instance_of": "the name of a file in quotes",
}  # fmt: skip
_ROWS = ("sign.key", "override", "table")  # tables of which there may be several
_LIMITS = {
    "greater_than_equal": ("at least", "ge"),
    "greater_than": ("more than", "gt"),
    "less_than_equal": ("at most", "le"),
    "less_than": ("less than", "lt"),
}


def location(error: ErrorDetails) -> Path:
    """The path of the option that error is about."""
    return tuple(error["loc"])


def dotted(path: Path) -> str:
    """sign.key[1].file: numbers as people count, from 1."""
    text = ""
    for part in path:
        text += f"[{part + 1}]" if isinstance(part, int) else f".{part}"
    return text.removeprefix(".")


def explain(error: ErrorDetails) -> tuple[Path, str, str]:
    """Where, what is wrong, and a hint or ""."""
    path, kind, given = location(error), error["type"], error["input"]
    context = error.get("ctx", {})
    if kind == "extra_forbidden":
        return path, *_unknown(path)
    if kind == "missing":
        return path, "must be given", ""
    if kind == "literal_error":
        words = _words(path)
        near = difflib.get_close_matches(str(given), words, 1)
        what = f"expected {_either(words)}, not {shown(given)}"
        return path, what, f"did you mean {near[0]!r}?" if near else ""
    if kind == "tuple_type" and isinstance(given, dict) and dotted(path) in _ROWS:
        return path, f"expected [[{dotted(path)}]], not [{dotted(path)}]", "there may be several"
    if kind in _EXPECTED:
        return path, f"expected {_EXPECTED[kind]}, not {shown(given)}", ""
    if kind in _LIMITS:
        words_, name = _LIMITS[kind]
        return path, f"expected {words_} {context[name]}, not {shown(given)}", ""
    if kind == "value_error":
        return path, str(context["error"]), ""
    if kind == "string_pattern_mismatch":
        return path, f"{shown(given)} has characters that cannot be used here", ""
    if kind == "string_too_short":
        return path, "must not be empty", ""
    return path, f"{error['msg'].lower()}, not {shown(given)}", ""


def shown(value: Any) -> str:
    """A value as it might have been written, cut where it gets long."""
    match value:
        case bool():
            return str(value).lower()
        case dict():
            return "a table"
        case list() | tuple():
            return "a list"
    text = f'"{value}"' if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else f"{text[:56]}..."


def _unknown(path: Path) -> tuple[str, str]:
    """An unknown name: what and hint."""
    name = str(path[-1])
    known = names(path[:-1])
    near = difflib.get_close_matches(name.replace("-", "_").lower(), known, 1, 0.7)
    if near:
        return "unknown option", f"did you mean {near[0]}?"
    elsewhere = [table for table in tables() if name in names(table) and table != path[:-1]]
    if elsewhere:
        table = dotted(elsewhere[0])
        return "unknown option", f"{name} belongs into {f'[{table}]' if table else 'the top'}"
    return "unknown option", f"known here: {', '.join(known)}"


def names(table: Path) -> list[str]:
    """The names of the options of a table, as they are written."""
    model = model_at(table)
    if model is None:
        return []
    return [info.alias or name for name, info in model.model_fields.items()]


def tables() -> list[Path]:
    """Every table there is, the top first."""
    found: list[Path] = [()]
    for path in found:
        found.extend((*path, name) for name in names(path) if model_at((*path, name)))
    return found


def model_at(table: Path) -> type[BaseModel] | None:
    """The model of a table; numbers in the path are ignored."""
    model: type[BaseModel] = Settings
    for part in table:
        if isinstance(part, int):
            continue
        inner = model_in(_annotation(model, part))
        if inner is None:
            return None
        model = inner
    return model


def _annotation(model: type[BaseModel], name: str) -> Any:
    for field, info in model.model_fields.items():
        if (info.alias or field) == name:
            return info.annotation
    return None


def model_in(annotation: Any) -> type[BaseModel] | None:
    """The model an annotation is, or is a tuple of."""
    if isinstance(annotation, type) and not isinstance(annotation, types.GenericAlias):
        return annotation if issubclass(annotation, BaseModel) else None
    for part in get_args(annotation):
        if part is not Ellipsis and (model := model_in(part)):
            return model
    return None


def _words(path: Path) -> list[str]:
    """The words an option may have."""
    path = path[:-1] if isinstance(path[-1], int) else path
    model = model_at(path[:-1])
    annotation = _annotation(model, str(path[-1])) if model else None
    if not _is_literal(annotation):  # a list of such words
        annotation = next(iter(get_args(annotation)), None)
    return [str(word) for word in get_args(annotation)] if _is_literal(annotation) else []


def _is_literal(annotation: Any) -> bool:
    return typing.get_origin(annotation) is typing.Literal


def _either(words: list[str]) -> str:
    quoted = [f'"{word}"' for word in words]
    return " or ".join([", ".join(quoted[:-1]), quoted[-1]] if len(quoted) > 1 else quoted)
