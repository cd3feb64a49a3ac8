"""The public header compiles on its own, in every language it promises, without a warning, by gcc and by clang."""

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
STRICT = ["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only"]
LANGUAGES = [(compiler, "c", standard) for compiler in ("gcc", "clang") for standard in ("c99", "c11")]
LANGUAGES += [(compiler, "c++", "c++11") for compiler in ("g++", "clang++")]


def compile_text(text, compiler, language, standard):
    strict = STRICT + (["-Wstrict-prototypes"] if language == "c" else [])
    return subprocess.run([compiler, "-x", language, f"-std={standard}", *strict, f"-I{ROOT / 'include'}", "-"],
                          input=text, text=True, capture_output=True)


@pytest.mark.parametrize("compiler, language, standard", LANGUAGES)
@pytest.mark.parametrize("header, define", [("scarlet", ""), ("scarlet", "#define SCARLET_EXPERIMENTAL\n"), ("nas", "")])
def test_alone(compiler, language, standard, header, define):
    use = "extern scarlet_prediction p; extern scarlet_error e;\n"
    result = compile_text(define + f"#include <scarlet/{header}.h>\n" * 2 + use, compiler, language, standard)
    assert result.returncode == 0 and not result.stderr, result.stderr


@pytest.mark.parametrize("compiler, language, standard", LANGUAGES)
def test_flags_bite(compiler, language, standard):
    """What the test above forbids is refused: an extension, and in C a declaration without a prototype."""
    bad = ["extern int extension[0];\n"] + (["int f();\n"] if language == "c" else [])
    for text in bad:
        assert compile_text("#include <scarlet/scarlet.h>\n" + text, compiler, language, standard).returncode != 0


@pytest.mark.parametrize("header", ["scarlet", "nas"])
def test_plain_abi(header):
    """No struct by value, varargs, bit-fields, bool, long or FILE in a declaration."""
    import re
    header = (ROOT / f"include/scarlet/{header}.h").read_text()
    code = re.sub(r"/\*.*?\*/", "", header, flags=re.S)
    for word in (r"\bbool\b", r"\blong\b", r"\bFILE\b", r"\.\.\.", r":\s*\d+\s*;", r"\bunsigned\b", r"\bint\b"):
        assert not re.search(word, code), word
    by_value = r"\bscarlet_(error|prediction|model|session|image|labels|options|dataset|train_options|trainer|head|space|latency)\b(?!\s*(\*|;))"
    declarations = re.findall(r"SCARLET_API[^;]*;", code)
    assert len(declarations) > 35
    for declaration in declarations:
        assert not re.search(by_value, re.sub(r"\bscarlet_error \*err", "", declaration)), declaration
