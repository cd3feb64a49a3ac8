"""bindings/python/REFERENCE.md: every public name of the package, from its own documentation.

    PYTHONPATH=bindings/python /usr/bin/python3 tests/python/reference_page.py     writes it anew; a test compares
"""

import inspect
import textwrap
from pathlib import Path

import scarlet

PAGE = Path(__file__).resolve().parents[2] / "bindings" / "python" / "REFERENCE.md"


def documentation(item, indent=""):
    return textwrap.indent(inspect.cleandoc(item.__doc__), indent)


def signature(item):
    """Names and defaults; types are in the source."""
    plain = [p.replace(annotation=inspect.Parameter.empty) for p in inspect.signature(item).parameters.values()
             if p.name != "self"]
    return str(inspect.Signature(plain))


def members(kind):
    """Methods and properties of a class's own that have something to say, in order."""
    for name, item in vars(kind).items():
        inner = item.__func__ if isinstance(item, classmethod) else item
        if name.startswith("_") or not getattr(inner, "__doc__", None):
            continue
        if isinstance(item, property):
            yield f"- `{name}`: {documentation(item)}"
        elif callable(inner):
            text = documentation(inner).split("\n", 1)
            rest = "\n" + textwrap.indent(textwrap.dedent(text[1]), "  ") if len(text) > 1 else ""
            yield f"- `{name}{signature(getattr(kind, name))}`: {text[0]}{rest}"


def page():
    parts = ["# scarlet: reference", "From the package's own documentation; [README.md](README.md) is the place to begin."]
    public = {name: getattr(scarlet, name) for name in scarlet.__all__}
    kinds = {name: item for name, item in public.items() if inspect.isclass(item)}
    errors = {name: item for name, item in kinds.items() if issubclass(item, scarlet.Error)}
    parts.append("## Functions")
    for name, item in public.items():
        if inspect.isfunction(item) or hasattr(item, "__wrapped__"):
            parts += [f"### {name}{signature(item)}", documentation(item)]
    parts.append("## Classes")
    for name, item in kinds.items():
        if name in errors:
            continue
        shown = signature(item) if not issubclass(item, tuple) and "__init__" in vars(item) else ""
        parts += [f"### {name}{shown}", documentation(item)]
        if issubclass(item, tuple):
            parts.append("Fields: " + ", ".join(f"`{field}`" for field in item._fields) + ".")
        else:
            parts.append("\n".join(members(item)))
    parts.append("## Exceptions")
    parts.append("\n".join(f"- `{name}` ({', '.join(f'`{base.__name__}`' for base in item.__bases__)}): {documentation(item)}"
                           for name, item in errors.items()))
    return "\n\n".join(part for part in parts if part) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page())
