"""Plots as SVG, by hand: bars and lines, readable without a program."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from math import log10

WIDTH, BAR, LEFT = 900, 26, 330
INK, PALE, OURS, GOAL = "#1f2933", "#9aa5b1", "#2563a8", "#c2410c"


@dataclass(frozen=True)
class Bar:
    """A bar from the left, with the range of the rounds as a line on it, and the goal as a mark."""

    title: str
    text: str
    share: float
    """Of the full width."""
    span: tuple[float, float] | None = None
    mark: float | None = None


def bars(heading: str, note: str, rows: Sequence[Bar]) -> str:
    """A chart of horizontal bars."""
    room, parts = WIDTH - LEFT - 130, []
    for number, row in enumerate(rows):
        y = 70 + number * BAR
        length = room * min(1.0, row.share)
        parts.append(_text(LEFT - 10, y + 15, row.title, anchor="end"))
        parts.append(f'<rect x="{LEFT}" y="{y + 3}" width="{length:.1f}" height="{BAR - 8}" fill="{OURS}"/>')
        if row.span:
            low, high = (LEFT + room * min(1.0, share) for share in row.span)
            parts.append(_line(low, y + BAR / 2 - 1, high, y + BAR / 2 - 1, INK, 1.5))
        if row.mark is not None:
            at = LEFT + room * min(1.0, row.mark)
            parts.append(_line(at, y, at, y + BAR - 2, GOAL, 2))
        parts.append(_text(LEFT + max(length, room * min(1.0, row.mark or 0)) + 8, y + 15, row.text))
    return _document(heading, note, parts, 90 + len(rows) * BAR)


def curves(heading: str, note: str, sizes: Sequence[float], lines: Mapping[str, Sequence[float]]) -> str:
    """Lines over a logarithmic axis of sizes; each value is a ratio to the line's first one."""
    height, bottom, right = 420, 380, WIDTH - 260
    highest = max([1.5, *(value for values in lines.values() for value in values)]) * 1.05
    low, high = log10(sizes[0]), log10(sizes[-1])

    def x(size: float) -> float:
        return 70 + (right - 70) * ((log10(size) - low) / (high - low) if high > low else 0.5)

    def y(value: float) -> float:
        return bottom - (bottom - 70) * value / highest

    parts = [_line(70, bottom, right, bottom, INK), _line(70, 70, 70, bottom, INK)]
    parts += [_text(x(size), bottom + 20, f"{size:,.0f}", anchor="middle") for size in sizes]
    for value in (1.0, 1.3):
        parts.append(_line(70, y(value), right, y(value), GOAL if value > 1 else PALE, 1, "4 4"))
        parts.append(_text(60, y(value) + 4, f"{value:.1f}", anchor="end"))
    ends = sorted(((y(values[-1]), name, values) for name, values in lines.items()), reverse=True)
    place = bottom + 12.0
    for at, name, values in ends:
        place = min(place - 15, at)
        points = " ".join(f"{x(size):.1f},{y(value):.1f}" for size, value in zip(sizes, values, strict=True))
        parts.append(f'<polyline points="{points}" fill="none" stroke="{OURS}" stroke-width="1.5"/>')
        parts.append(_line(right, at, right + 16, place, PALE))
        parts.append(_text(right + 20, place + 4, f"{values[-1]:.2f}  {name}"))
    return _document(heading, note, parts, height)


def _document(heading: str, note: str, parts: Sequence[str], height: int) -> str:
    space = f'xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}"'
    head = f'<svg {space} font-family="sans-serif" font-size="13">'
    ground = f'<rect width="{WIDTH}" height="{height}" fill="white"/>'
    title = f'<text x="20" y="28" font-size="17" fill="{INK}">{escape(heading)}</text>'
    return "\n".join([head, ground, title, _text(20, 50, note, PALE), *parts, "</svg>\n"])


def _text(x: float, y: float, words: str, color: str = INK, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" fill="{color}" text-anchor="{anchor}">{escape(words)}</text>'


def _line(x1: float, y1: float, x2: float, y2: float, color: str, width: float = 1, dashes: str = "") -> str:
    dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{color}" '
        f'stroke-width="{width}"{dashed}/>'
    )
