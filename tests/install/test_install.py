"""An installed libscarlet: found by pkg-config, linked from C and C++, shared and static, and still whole when moved."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import tiny  # noqa: E402

BUILD = os.environ["SCARLET_BUILD"]
PICTURE = tiny.PICTURES / "09-ankle-boot-0000.png"


def run(*command, **settings):
    env = {**os.environ, **{key: str(value) for key, value in settings.items()}}
    result = subprocess.run([str(part) for part in command], env=env, capture_output=True, text=True)
    assert result.returncode == 0, (command, result.stdout, result.stderr)
    return result.stdout


CMAKE = """cmake_minimum_required(VERSION 3.13)
project(consumer C CXX)
find_package(scarlet REQUIRED)
find_package(scarlet REQUIRED)  # twice is fine
foreach(linking shared static)
  add_executable(c-${linking} consumer.c)
  add_executable(c++-${linking} consumer.cc)
endforeach()
foreach(language c c++)
  target_link_libraries(${language}-shared scarlet::scarlet)
  target_link_libraries(${language}-static scarlet::static)
endforeach()
"""


def cmake(tree, source, works=True):
    """Configures a CMake project that finds the tree; returns its build folder."""
    build = source / "build"
    result = subprocess.run(["cmake", "-S", source, "-B", build, f"-DCMAKE_PREFIX_PATH={tree.prefix}"],
                            capture_output=True, text=True)
    assert (result.returncode == 0) == works, result.stdout + result.stderr
    return build


class Tree:
    """An installed tree: DESTDIR/prefix taken as a prefix of its own."""

    def __init__(self, prefix):
        self.prefix = prefix
        self.pkgconfig = next(prefix.rglob("pkgconfig"))
        self.libdir = self.pkgconfig.parent

    def flags(self, *arguments):
        return run("pkg-config", *arguments, "scarlet", PKG_CONFIG_PATH=self.pkgconfig).split()


@pytest.fixture(scope="module")
def scratch(tmp_path_factory):
    return tmp_path_factory.mktemp("install")


@pytest.fixture(scope="module")
def model(scratch):
    return tiny.make(scratch / "tiny.safetensors")


@pytest.fixture(scope="module")
def installed(scratch):
    run("meson", "install", "-C", BUILD, "--no-rebuild", "--destdir", scratch / "dest")
    return Tree(next((scratch / "dest").rglob("include")).parent)


@pytest.fixture(scope="module")
def version(installed):
    return run("pkg-config", "--modversion", "scarlet", PKG_CONFIG_PATH=installed.pkgconfig).strip()


@pytest.fixture(scope="module")
def programs(installed, scratch):
    """Consumers built with no flags but those of pkg-config."""
    made = []
    for compiler, language in (("cc", "c"), ("c++", "c++")):
        for linking in ("shared", "static"):
            libs = installed.flags("--libs") if linking == "shared" else [
                # Debian has no static XNNPACK: only libscarlet itself is.
                "-l:libscarlet.a" if flag == "-lscarlet" else flag for flag in installed.flags("--static", "--libs")]
            program = scratch / f"{language}-{linking}"
            run(compiler, "-x", language, "-Wall", "-Wextra", "-Werror", *installed.flags("--cflags"),
                HERE / "consumer.c", "-x", "none", "-o", program, *libs)
            made.append(program)
    return made


def check_programs(programs, tree, model, version):
    for program in programs:
        needs = "libscarlet.so.0" in run("readelf", "-d", program)
        assert needs == program.name.endswith("shared")
        found = run(program, model, PICTURE, LD_LIBRARY_PATH=tree.libdir if needs else "")
        assert re.fullmatch(re.escape(version) + ", tench, class [0-4]\n", found)


def check_command(tree, model, version):
    """The command finds its library and further commands from where it is."""
    command = tree.prefix / "bin" / "scarlet"
    assert run(command, "--version") == f"scarlet {version}\n"
    assert "Network        custom\n" in run(command, "info", model)
    other = tree.prefix / "libexec" / "scarlet" / "scarlet-count"
    other.parent.mkdir(parents=True, exist_ok=True)
    other.write_text('#!/bin/sh\necho "$# $*"\nexit 7\n')
    other.chmod(0o755)
    result = subprocess.run([command, "count", "-a", "--help"], capture_output=True, text=True)
    assert (result.returncode, result.stdout) == (7, "2 -a --help\n")


def test_flags(installed):
    """Nothing but scarlet itself, and no include path of another library."""
    assert [os.path.normpath(flag[2:]) for flag in installed.flags("--cflags")] == [
        str(installed.prefix / "include")]
    libs = installed.flags("--libs")
    assert [os.path.normpath(flag[2:]) for flag in libs if flag.startswith("-L")] == [str(installed.libdir)]
    assert [flag for flag in libs if not flag.startswith("-L")] == ["-lscarlet"]


def test_files(installed):
    found = {str(path.relative_to(installed.prefix)) for path in installed.prefix.rglob("*") if not path.is_dir()}
    libdir = installed.libdir.relative_to(installed.prefix)
    expected = {"bin/scarlet", "include/scarlet/scarlet.h", "include/scarlet/scarlet.hpp",
                "share/man/man1/scarlet.1", "share/man/man3/libscarlet.3",
                "share/bash-completion/completions/scarlet", "share/zsh/site-functions/_scarlet",
                f"{libdir}/libscarlet.a",
                f"{libdir}/libscarlet.so", f"{libdir}/libscarlet.so.0", f"{libdir}/pkgconfig/scarlet.pc",
                f"{libdir}/cmake/scarlet/scarlet-config.cmake", f"{libdir}/cmake/scarlet/scarlet-config-version.cmake"}
    assert expected <= found
    commands = re.findall(r"^  ([\w-]+)  +", run(installed.prefix / "bin" / "scarlet", "--help"), flags=re.M)
    assert len(commands) > 4 and {f"share/man/man1/scarlet-{name}.1" for name in commands if name != "help"} <= found


NAS = pytest.mark.skipif(os.environ["SCARLET_NAS"] == "0", reason="built without libscarlet-nas")


def check_personalise(program, tree, scratch, shared):
    """The example of libscarlet-nas, by an installed tree alone."""
    model, new = HERE.parents[1] / "examples/models/fashion-mnist-scarlet-c.safetensors", scratch / "new.safetensors"
    needs = set(re.findall(r"libscarlet[\w-]*\.so\.0", run("readelf", "-d", program)))
    assert needs == ({"libscarlet.so.0", "libscarlet-nas.so.0"} if shared else set())
    run(program, model, new, f"trouser={tiny.PICTURES / '01-trouser-0002.png'}", f"boot={PICTURE}",
        LD_LIBRARY_PATH=tree.libdir if shared else "")
    assert "boot" in run(tree.prefix / "bin" / "scarlet", "classify", "-m", new, PICTURE)
    new.unlink()


@NAS
@pytest.mark.parametrize("linking", ["shared", "static"])
def test_nas(installed, scratch, linking):
    """libscarlet-nas by pkg-config and by CMake, from C and C++."""
    def flags(*arguments):
        return run("pkg-config", *arguments, "scarlet-nas", PKG_CONFIG_PATH=installed.pkgconfig).split()
    static = {"-lscarlet": "-l:libscarlet.a", "-lscarlet-nas": "-l:libscarlet-nas.a"} if linking == "static" else {}
    source, program = HERE.parents[1] / "examples/nas/personalise.c", scratch / f"personalise-{linking}"
    run("cc", "-Wall", "-Wextra", "-Werror", *flags("--cflags"), source, "-o", program,
        *(static.get(flag, flag) for flag in flags(*(["--static"] if static else []), "--libs")))
    check_personalise(program, installed, scratch, not static)

    folder = scratch / f"cmake-nas-{linking}"
    folder.mkdir()
    (folder / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.13)\nproject(consumer C)\nfind_package(scarlet REQUIRED)\n"
        f"add_executable(personalise {source})\n"
        f"target_link_libraries(personalise scarlet::nas{'-static' if static else ''})\n")
    build = cmake(installed, folder)
    run("cmake", "--build", build)
    check_personalise(build / "personalise", installed, scratch, not static)


def test_manual_example(installed, model, scratch):
    """The program in libscarlet(3)."""
    page = (installed.prefix / "share/man/man3/libscarlet.3").read_text()
    code = page.split(".SH EXAMPLES\n")[1].split("\n.nf\n")[1].split(".fi\n")[0]
    (scratch / "example.c").write_text(code.replace("\\-", "-").replace("\\e", "\\"))
    run("cc", "-Wall", "-Wextra", "-Werror", *installed.flags("--cflags"), scratch / "example.c",
        "-o", scratch / "example", *installed.flags("--libs"))
    lines = run(scratch / "example", model, PICTURE, LD_LIBRARY_PATH=installed.libdir).splitlines()
    assert len(lines) == 3 and all(re.fullmatch(r" *\d+\.\d %  (" + "|".join(tiny.LABELS) + ")", line) for line in lines)


def test_installed(installed, programs, model, version):
    check_programs(programs, installed, model, version)
    check_command(installed, model, version)


@pytest.fixture(scope="module")
def cmake_programs(installed, scratch):
    """The same consumers by find_package."""
    source = scratch / "cmake"
    source.mkdir()
    (source / "CMakeLists.txt").write_text(CMAKE)
    for name in ("consumer.c", "consumer.cc"):
        shutil.copy(HERE / "consumer.c", source / name)
    build = cmake(installed, source)
    run("cmake", "--build", build)
    return [build / f"{language}-{linking}" for language in ("c", "c++") for linking in ("shared", "static")]


def test_cmake(installed, cmake_programs, model, version):
    check_programs(cmake_programs, installed, model, version)


@pytest.mark.parametrize("wanted, works", [("{}", True), ("{} EXACT", True), ("0.0.1", True), ("0.0.1 EXACT", False),
                                           ("1000", False)])
def test_cmake_version(installed, version, tmp_path, wanted, works):
    (tmp_path / "CMakeLists.txt").write_text(
        f"cmake_minimum_required(VERSION 3.13)\nproject(consumer C)\n"
        f"find_package(scarlet {wanted.format(version)} REQUIRED)\n"
        f"if(NOT scarlet_VERSION STREQUAL {version})\n  message(FATAL_ERROR wrong)\nendif()\n")
    cmake(installed, tmp_path, works=works)


def test_moved(installed, programs, cmake_programs, model, version, scratch):
    """The build and the first place are out of reach of the moved tree."""
    moved = Tree(Path(shutil.move(installed.prefix, scratch / "elsewhere")))
    try:
        check_programs(programs, moved, model, version)
        check_programs(cmake_programs, moved, model, version)
        shutil.rmtree(scratch / "cmake" / "build")
        run("cmake", "--build", cmake(moved, scratch / "cmake"))
        check_programs(cmake_programs, moved, model, version)
        check_command(moved, model, version)
        assert moved.flags("--cflags") != [] and all(
            os.path.normpath(flag[2:]).startswith(str(scratch / "elsewhere")) for flag in moved.flags("--cflags"))
    finally:
        shutil.move(moved.prefix, installed.prefix)
