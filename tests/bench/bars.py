"""Groups of horizontal bars as SVG. The kind of a bar (ours, rival, reduced) chooses its colour."""

from collections import namedtuple
from html import escape

Bar = namedtuple("Bar", "name value text kind")

WIDTH, LABEL, RIGHT = 820, 250, 150
ROW, GAP, HEAD = 22, 26, 58
LONGEST = 4  # times the shortest bar of a group: what is longer is cut and marked so

STYLE = """
    text { font: 12px sans-serif; fill: #24292f }
    .title { font-size: 15px; font-weight: bold }
    .group { font-size: 13px; font-weight: bold }
    .note { fill: #57606a }
    .ours { fill: #b3261e }
    .rival { fill: #8c9bab }
    .reduced { fill: #d0d7de }
"""


def text(x, y, content, attributes=""):
    return f'<text x="{x:g}" y="{y:g}" {attributes}>{escape(content)}</text>'


def _bar(y, bar, scale):
    room = WIDTH - LABEL - RIGHT
    width, cut = bar.value * scale, bar.value * scale > room
    yield text(LABEL - 8, y + 13, bar.name, 'text-anchor="end"')
    width = min(width, room)
    yield f'<rect x="{LABEL}" y="{y + 2:g}" width="{width:.1f}" height="{ROW - 7}" class="{bar.kind}"/>'
    if cut:  # a white stroke across says that the bar goes on
        x = LABEL + width - 24
        yield f'<path d="M{x:g} {y + ROW - 3:g} l8 {-ROW + 3}" stroke="white" stroke-width="4"/>'
    yield text(LABEL + width + 6, y + 13, bar.text)


def chart(title, groups, note):
    """groups: (title, bars) in order. Every group has its own scale, from zero."""
    body, y = [], HEAD
    for name, bars in groups:
        if not bars:
            continue
        body.append(text(12, y + 12, name, 'class="group"'))
        y += ROW
        values = [bar.value for bar in bars]
        longest = min(max(values), LONGEST * min(values))
        for bar in bars:
            body.extend(_bar(y, bar, (WIDTH - LABEL - RIGHT) / longest))
            y += ROW
        y += GAP
    head = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y:g}" '
            f'width="{WIDTH}" height="{y:g}" role="img">',
            f"<title>{escape(title)}</title>", f"<style>{STYLE}</style>",
            f'<rect width="{WIDTH}" height="{y:g}" fill="white"/>',
            text(12, 24, title, 'class="title"'), text(12, 42, note, 'class="note"')]
    return "\n".join(head + body) + "\n</svg>\n"
