"""CPU per message as bars, in SVG.

NAME
    chart - horizontal bars with names and numbers; stacked for a chain of filters
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from statistics import median

from bench.cells import CHAIN, OURS, OURS_SIGN, PAIR, Cell
from bench.tables import Samples

_ROW, _BAR, _LEFT, _WIDE = 26, 16, 250, 460
_COLOURS = ("#3b6ea5", "#7fa7cf", "#b9d0e6")
_OURS = "#c8553d"

Bar = tuple[str, Sequence[float], bool]  # name, stacked values, whether it is ours


def svg(samples: Samples) -> str:
    """The picture: verifying above, signing below."""
    groups: list[tuple[str, list[Bar]]] = [
        (
            "Verify DKIM, SPF and DMARC: CPU ms per message",
            _bars(samples, ((OURS,), CHAIN, PAIR, ("rspamd",))),
        ),
        (
            "Sign RSA-2048: CPU ms per message",
            _bars(samples, ((OURS_SIGN,), ("opendkim-sign",), ("dkimpy-sign",), ("floor-sign",))),
        ),
    ]
    most = max((sum(bar[1]) for _, bars in groups for bar in bars), default=1.0)
    parts, y = [], 10
    for title, bars in groups:
        y += _ROW
        parts.append(_text(10, y, title, 'font-weight="bold"'))
        for bar in bars:
            y += _ROW
            parts += _drawn(bar, y, _WIDE / most)
        y += _ROW
    width = _LEFT + _WIDE + 70
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{y}" '
        f'viewBox="0 0 {width} {y}" font-family="sans-serif" font-size="13">\n'
        f'<rect width="{width}" height="{y}" fill="#ffffff"/>\n' + "\n".join(parts) + "\n</svg>\n"
    )


def _bars(samples: Samples, rows: Sequence[Sequence[str]]) -> list[Bar]:
    bars: list[Bar] = []
    for names in rows:
        found = [samples.get(Cell(name)) for name in names]
        values = [median(one.cpu_ms for one in many) for many in found if many]
        if len(values) == len(names):
            bars.append((" + ".join(names), values, names[0].startswith(OURS)))
    return bars


def _drawn(bar: Bar, y: int, scale: float) -> list[str]:
    name, values, ours = bar
    short = name if len(name) < 36 else name.replace("-verify", "").replace("-milter", "")
    parts = [_text(_LEFT - 8, y, short, 'text-anchor="end"')]
    x = float(_LEFT)
    for colour, value in zip(_COLOURS, values, strict=False):
        parts.append(
            f'<rect x="{x:.1f}" y="{y - _BAR + 4}" width="{value * scale:.1f}" height="{_BAR}" '
            f'fill="{_OURS if ours else colour}"/>'
        )
        x += value * scale
    return [*parts, _text(round(x) + 6, y, f"{sum(values):.2f}")]


def _text(x: int, y: int, text: str, more: str = "") -> str:
    return f'<text x="{x}" y="{y}" {more}>{escape(text)}</text>'
