"""scarlet.h read by a compiler and bound to ctypes: no list by hand, so it shows what any other language would find."""

import ctypes
import json
import re
import subprocess
from pathlib import Path

HEADER = Path(__file__).resolve().parents[2] / "include" / "scarlet" / "scarlet.h"

BASIC = {
    "void": None, "char": ctypes.c_char, "float": ctypes.c_float, "int": ctypes.c_int, "unsigned int": ctypes.c_uint,
    "long": ctypes.c_long, "unsigned long": ctypes.c_ulong, "unsigned char": ctypes.c_ubyte,
}


class Header:
    """Functions as {name: (result, *arguments)}, structs as classes, constants as {name: value}."""

    def __init__(self, *defines):
        command = ["clang", "-x", "c", "-std=c11", "-fsyntax-only", *[f"-D{d}" for d in defines], "-Xclang",
                   "-ast-dump=json", str(HEADER)]
        tree = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
        self._typedefs = {}
        self.structs, self.functions, self.constants = {}, {}, {}
        for node in tree["inner"]:
            getattr(self, "_" + node["kind"], lambda node: None)(node)

    def _TypedefDecl(self, node):
        self._typedefs[node["name"]] = node["type"]["qualType"]

    def _RecordDecl(self, node):
        if node.get("completeDefinition") and node.get("name", "").startswith("scarlet_"):
            fields = [(f["name"], self.type(f["type"]["qualType"])) for f in node["inner"] if f["kind"] == "FieldDecl"]
            self.structs[node["name"]] = type(node["name"], (ctypes.Structure,), {"_fields_": fields})

    def _EnumDecl(self, node):
        for constant in node["inner"]:
            self.constants[constant["name"]] = int(constant["inner"][0]["value"])  # all have a value in the header

    def _FunctionDecl(self, node):
        if node["name"].startswith("scarlet_"):
            result = node["type"]["qualType"].split("(")[0]
            parameters = [p["type"]["qualType"] for p in node.get("inner", []) if p["kind"] == "ParmVarDecl"]
            self.functions[node["name"]] = (self.type(result), *map(self.type, parameters))

    def type(self, text):
        """The ctypes type of a C type."""
        text = re.sub(r"\bconst\b", "", text).strip()
        text = re.sub(r"\s+", " ", text)
        function = re.fullmatch(r"(.*)\(\*\)\((.*)\)", text)
        if function:
            return ctypes.CFUNCTYPE(self.type(function[1]), *map(self.type, function[2].split(",")))
        array = re.fullmatch(r"(.*\w) ?\[(\d+)\]", text)
        if array:
            return self.type(array[1]) * int(array[2])
        if text.endswith("*"):
            return self._pointer(text[:-1].strip())
        if text in self._typedefs and self._typedefs[text] != text:
            return self.type(self._typedefs[text])
        if text.startswith("enum "):
            return ctypes.c_int
        return BASIC[text] if text in BASIC else self.structs[text.split()[-1]]

    def _pointer(self, target):
        if target == "char":
            return ctypes.c_char_p
        while target in self._typedefs and self._typedefs[target] != target:
            target = self._typedefs[target]
        if target == "void" or target.startswith("struct ") and target.split()[-1] not in self.structs:
            return ctypes.c_void_p
        return ctypes.POINTER(self.type(target))


def same(one, other):
    """Whether two ctypes types are the same to a caller."""
    if one is other:
        return True
    if one is None or other is None or type(one) is not type(other) or ctypes.sizeof(one) != ctypes.sizeof(other):
        return False
    if issubclass(one, ctypes.Structure):
        return len(one._fields_) == len(other._fields_) and all(
            a == b and same(s, t) for (a, s), (b, t) in zip(one._fields_, other._fields_))
    if hasattr(one, "_argtypes_"):
        return prototypes_agree((one._restype_, *one._argtypes_), (other._restype_, *other._argtypes_))
    if isinstance(one._type_, str):
        return one._type_ == other._type_
    return same(one._type_, other._type_)


def prototypes_agree(one, other):
    return len(one) == len(other) and all(map(same, one, other))
