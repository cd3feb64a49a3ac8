"""What the pages of this folder have in common, and its README's marks."""

import html
from pathlib import Path

HERE = Path(__file__).parent
STYLE = """
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 1200px; margin: 2em auto; padding: 0 1em; }
div { overflow-x: auto; }
table { margin-bottom: 1.5em; border-collapse: collapse; font-variant-numeric: tabular-nums; }
td { white-space: nowrap; }
th, td { padding: .2em .6em; text-align: left; border-bottom: 1px solid #8886; }
.partial { font-weight: bold; border: 2px solid #c60; padding: .5em; }
section { display: flex; flex-wrap: wrap; gap: 1em; }
figure { margin: 0; }
svg { max-width: 100%; }
svg text { font-size: 11px; fill: currentColor; }
circle { fill: #16c; }
path { stroke: currentColor; fill: none; }
"""
COLOURS = ["#06c", "#c60", "#888", "#383", "#a3a"]  # legible on white and on black


def page(title, body):
    return (f'<!DOCTYPE html>\n<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">\n'
            f"<title>{html.escape(title)}</title>\n<style>{STYLE}</style>\n<h1>{html.escape(title)}</h1>\n{body}\n</html>\n")


def table(columns, rows):
    line = lambda cells, tag: "<tr>" + "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in cells) + "</tr>"  # noqa: E731
    return f"<div><table>{line(columns, 'th')}{''.join(line(row, 'td') for row in rows)}</table></div>"


def markdown_table(columns, rows):
    return "\n".join(["| " + " | ".join(columns) + " |", "|---" * len(columns) + "|", *("| " + " | ".join(row) + " |" for row in rows)])


def put_into_readme(name, text):
    """Between the two marks of that name."""
    readme, mark = HERE / "README.md", f"<!-- {name} -->\n"
    before, _, after = readme.read_text().split(mark)
    readme.write_text(f"{before}{mark}\n{text}\n{mark}{after}")
