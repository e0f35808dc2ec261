# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Makes ``.venv``: Python packages, ROS 2, the built interfaces and this checkout as ``vidgen``.

Plain standard library, so that it runs before anything is installed. Every step leaves a stamp that
holds the hash of what went into it, written when the step is through: a second run does nothing, and
a run after an interruption or a change starts at the first step whose hash differs. Where a full
ROS 2 is sourced, that is used and only the packages which it lacks are installed.

Exit status: 0 done; 1 a step failed (its log is named); 2 this platform or the sourced ROS 2 will not do.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
STATE = VENV / ".setup"  # stamps and logs; goes with the environment
PYTHON = VENV / "bin" / "python"
BUILD = VENV / "build" / "vidgen"
SITE = VENV / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"
SUPPORTED = "supported: Linux on x86-64 with CPython 3.10 to 3.14, its venv module and headers, a C and a C++ compiler"

# Where a full ROS 2 is sourced, what can be imported from the system stays the system's: the message
# packages there are compiled against its NumPy.
IMPORT_NAMES = {
    "cbor2": "cbor2",
    "numpy": "numpy",
    "opencv-python-headless": "cv2",
    "psutil": "psutil",
    "pyproj": "pyproj",
    "pyyaml": "yaml",
    "rich": "rich",
    "rosbags": "rosbags",
    "scipy": "scipy",
    "setuptools": "setuptools",
    "torch": "torch",
}
# Type stubs that demand the NumPy of requirements/run.txt.
NUMPY_STUBS = ("numpy-typing-compat", "optype", "scipy-stubs")
# The pinned ones need NumPy 2; Jazzy and older bring NumPy 1. As wide as in pyproject.toml: pip finds one that fits.
NUMPY_1_RANGES = {"opencv-python-headless": "opencv-python-headless>=4.8,<5"}


class StepError(Exception):
    """A step of the set-up did not work; the message says which and what to look at."""


def unsupported() -> str:
    """Says in a few words why this platform will not do; empty if it will."""
    if platform.system() != "Linux" or platform.machine() not in ("x86_64", "AMD64"):
        return f"this is {platform.system()} on {platform.machine()}"
    if platform.python_implementation() != "CPython" or not (3, 10) <= sys.version_info[:2] <= (3, 14):
        found = f"{platform.python_implementation()} {platform.python_version()}"
        return f"this is {found} (choose another with `make PYTHON=python3.11 ...`)"
    if not any(shutil.which(name) for name in ("cc", "gcc", "clang")):
        return "no C compiler found (Debian, Ubuntu: apt install build-essential)"
    if not any(shutil.which(name) for name in ("c++", "g++", "clang++")):
        return "no C++ compiler found (Debian, Ubuntu: apt install build-essential)"
    if not (Path(sysconfig.get_path("include")) / "Python.h").exists():
        return "Python.h not found (Debian, Ubuntu: apt install python3-dev)"
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError:
        return "no venv module (Debian, Ubuntu: apt install python3-venv)"
    return ""


def sourced_ros() -> str:
    """The name of the full ROS 2 that is sourced in this shell; empty if there is none.

    Raises:
        StepError: there is one that this Python cannot use. Its search paths would stay in force beside the
            wheels, and half of each does not work.
    """
    distro = os.environ.get("ROS_DISTRO", "")
    if not distro or not any(os.environ.get(name) for name in ("AMENT_PREFIX_PATH", "PYTHONPATH")):
        return ""
    probe = [sys.executable, "-c", "import rclpy, message_filters"]
    answer = subprocess.run(probe, capture_output=True, text=True, check=False)
    if answer.returncode == 0:
        return distro
    errors = [line for line in answer.stderr.splitlines() if re.match(r"\w*Error: ", line)]
    raise StepError(
        f"ROS 2 {distro} is sourced, but {sys.executable} cannot import its rclpy and message_filters "
        f"({errors[-1] if errors else 'no reason given'}). One of these helps: apt install "
        f"ros-{distro}-message-filters; the Python of that ROS, e.g. `make PYTHON=/usr/bin/python3 setup`; a shell in "
        "which no ROS is sourced, then ROS comes as wheels"
    )


def digest(*parts: str | Path) -> str:
    """SHA-256 over texts and the names and contents of files."""
    state = hashlib.sha256()
    for part in parts:
        if isinstance(part, str):
            state.update(part.encode() + b"\0")
            continue
        state.update(part.name.encode() + b"\0" + part.read_bytes() + b"\0")
    return state.hexdigest()


def call(name: str, command: Sequence[str | Path], **environment: str) -> None:
    """Run one command, its output into the log of the step.

    Raises:
        StepError: it failed; the message holds the end of the log.
    """
    STATE.mkdir(parents=True, exist_ok=True)
    log = STATE / f"{name}.log"
    with log.open("ab") as sink:
        sink.write(f"$ {' '.join(map(str, command))}\n".encode())
        sink.flush()
        done = subprocess.run(
            [str(word) for word in command],
            stdout=sink,
            stderr=subprocess.STDOUT,
            cwd=ROOT,
            env={**os.environ, **environment},
            check=False,
        )
    if done.returncode:
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
        raise StepError(f"{tail}\nfailed with status {done.returncode}; the whole log is {log}")


def make_venv(distro: str) -> None:
    """Make the environment, or adopt one that works: nothing already installed is thrown away."""
    probe = "import sys, pip; print(*sys.version_info[:2], sys.prefix)"
    expected = f"{sys.version_info.major} {sys.version_info.minor} {VENV}"
    if PYTHON.exists():
        answer = subprocess.run([PYTHON, "-c", probe], capture_output=True, text=True, check=False)
        config = (VENV / "pyvenv.cfg").read_text() if (VENV / "pyvenv.cfg").exists() else ""
        shared = "include-system-site-packages = true" in config
        if answer.stdout.strip() == expected and shared == bool(distro):
            return
    shutil.rmtree(VENV, ignore_errors=True)
    call("venv", [sys.executable, "-m", "venv", *(["--system-site-packages"] if distro else []), VENV])


def pip_install(name: str, *arguments: str | Path) -> None:
    """Install with pip, after removing what an interrupted pip left half-installed."""
    for info in SITE.glob("*.dist-info"):
        if not (info / "RECORD").exists():  # pip writes it last
            shutil.rmtree(info)
    call(name, [PYTHON, "-m", "pip", "install", "--no-input", "--disable-pip-version-check", *arguments])


def install_beside_ros(name: str) -> None:
    """Install what one requirement file names and the sourced ROS 2 lacks; its NumPy stays."""
    look = (
        "import importlib.util as u, sys\n"
        "specs = {name: u.find_spec(name) for name in sys.argv[1:]}\n"
        "print(*(name for name, spec in specs.items() if spec and spec.origin))\n"
        "print(__import__('numpy').__version__ if specs['numpy'] else '')"
    )
    answer = subprocess.run(
        [sys.executable, "-c", look, *IMPORT_NAMES.values()], capture_output=True, text=True, check=True
    )
    imports, numpy = answer.stdout.split("\n")[:2]
    kept = []
    for line in (ROOT / "requirements" / f"{name}.txt").read_text().splitlines():
        package = re.split(r"[=<>; ]", line, maxsplit=1)[0].lower()
        theirs = IMPORT_NAMES.get(package) in imports.split() or package in NUMPY_STUBS
        if line and not line.startswith("#") and not theirs:
            kept.append(NUMPY_1_RANGES.get(package, line) if numpy.startswith("1.") else line)
    wanted, constraints = STATE / f"{name}-beside-ros.txt", STATE / "keep.txt"
    wanted.write_text("\n".join(kept) + "\n")
    constraints.write_text(f"numpy=={numpy}\n" if numpy else "")
    pip_install(name, "-r", wanted, "-c", constraints)


def install_ros_wheels() -> None:
    """Install the ROS 2 wheels and make their CMake files name this machine's folders."""
    pip_install("ros", "-r", ROOT / "requirements" / "ros.txt")
    if any(SITE.glob("lark-*.dist-info")):  # it has overwritten lark-parser, which ROS needs
        call("ros", [PYTHON, "-m", "pip", "uninstall", "--yes", "lark"])
        pip_install("ros", "--force-reinstall", "--no-deps", "lark-parser==0.12.0")
    answer = subprocess.run(
        [
            PYTHON,
            "-c",
            "import numpy, sysconfig; print(sysconfig.get_path('include')); print(numpy.get_include())",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    python_include, numpy_include = answer.stdout.split("\n")[:2]
    changed = 0
    for path in (VENV / "share").rglob("*.cmake"):
        before = path.read_text()
        after = re.sub(r'[^;"\s]*/include/python3\.\d+', lambda _: python_include, before)
        after = re.sub(r'[^;"\s]*/site-packages/numpy/_?core/include', lambda _: numpy_include, after)
        if after != before:
            path.write_text(after)
            changed += 1
    with (STATE / "ros.log").open("a") as sink:
        sink.write(
            f"{changed} CMake files named folders of the machine that built them; they name ours now\n"
        )


def build_interfaces(distro: str) -> None:
    """Build and install the messages and services of ``msg/`` and ``srv/`` into the environment."""
    path = f"{VENV / 'bin'}{os.pathsep}{os.environ['PATH']}"
    cmake = shutil.which("cmake", path=path)
    if cmake is None:
        raise StepError("cmake not found; the sourced ROS 2 brings it: apt install ros-dev-tools")
    options = {
        "CMAKE_BUILD_TYPE": "Release",
        "CMAKE_INSTALL_PREFIX": VENV,
        "CMAKE_INSTALL_RPATH": VENV / "lib",
        "Python3_EXECUTABLE": PYTHON,
        "PYTHON_INSTALL_DIR": SITE.relative_to(VENV),
        "BUILD_TESTING": "OFF",
        "VIDGEN_INTERFACES_ONLY": "ON",
    }
    if not distro:
        options["CMAKE_PREFIX_PATH"] = VENV
    generator = ["-G", "Ninja"] if shutil.which("ninja", path=path) else []
    defines = [f"-D{name}={value}" for name, value in options.items()]
    # A cache from before would keep the paths of an environment that was thrown away.
    (BUILD / "CMakeCache.txt").unlink(missing_ok=True)
    call("interfaces", [cmake, *generator, "-S", ROOT, "-B", BUILD, *defines], PATH=path)
    call("interfaces", [cmake, "--build", BUILD, "--parallel"], PATH=path)
    # A message that is gone from msg/ must not stay importable.
    for stale in (SITE / "vidgen", VENV / "share" / "vidgen", VENV / "include" / "vidgen"):
        shutil.rmtree(stale, ignore_errors=True)
    call("interfaces", [cmake, "--install", BUILD], PATH=path)
    library_path = f"{VENV / 'lib'}{os.pathsep}{os.environ.get('LD_LIBRARY_PATH', '')}" if distro else ""
    extra = {"LD_LIBRARY_PATH": library_path} if library_path else {}
    call("interfaces", [PYTHON, "-c", "from vidgen.msg import OverlayFrame; OverlayFrame()"], **extra)


def plan(distro: str) -> list[tuple[str, str, str, Callable[[], None]]]:
    """The steps as (stamp, what the user reads, what goes into it, action); keys are chained below."""
    requirements = ROOT / "requirements"
    where = f"{sys.version_info[:2]} {sys.base_prefix} {VENV} {distro}"
    steps: list[tuple[str, str, str, Callable[[], None]]] = [
        ("venv", "Python environment .venv", where, lambda: make_venv(distro))
    ]
    run, ros, bare, dev = (requirements / f"{name}.txt" for name in ("run", "ros", "bare", "dev"))
    if distro:
        label = f"packages that ROS 2 {distro} lacks"
        steps.append(("run", label, digest(run), lambda: install_beside_ros("run")))
    else:
        steps.append(
            ("run", "packages (torch, OpenCV, ...)", digest(run), lambda: pip_install("run", "-r", run))
        )
        steps.append(("ros", "ROS 2 wheels", digest(ros), install_ros_wheels))
    steps.append(("bare", "IFC reader", digest(bare), lambda: pip_install("bare", "--no-deps", "-r", bare)))
    interfaces = sorted([*ROOT.glob("msg/*.msg"), *ROOT.glob("srv/*.srv")])
    sources = digest(*interfaces, ROOT / "CMakeLists.txt", ROOT / "package.xml")

    kernels = [
        path for path in sorted((ROOT / "vidgen_nodes").rglob("*.py")) if "compiled" in path.read_text()
    ]

    def compile_kernels() -> None:
        call("kernels", [PYTHON, ROOT / "tools" / "compile_kernels.py"])

    def install_tools() -> None:
        install_beside_ros("dev") if distro else pip_install("dev", "-r", dev)

    editable = ["--no-deps", "--no-build-isolation", "--config-settings", "editable_mode=compat", "-e", ROOT]
    steps += [
        ("interfaces", "interfaces (msg, srv)", sources, lambda: build_interfaces(distro)),
        ("dev", "tools for tests and checks", digest(dev), install_tools),
        (
            "code",
            "the vidgen command",
            digest(ROOT / "pyproject.toml"),
            lambda: pip_install("code", *editable),
        ),
        ("kernels", "compiled loops", digest(*kernels), compile_kernels),
    ]
    return steps


def main() -> int:
    """Run the steps that are due."""
    reason = unsupported()
    if reason:
        print(f"vidgen: {reason}; {SUPPORTED}", file=sys.stderr)
        return 2
    with Path(__file__).open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # `make -j demo test` sets up once
        return run_due()


def run_due() -> int:
    """Bring each stamp up to date, in order; a stamp's key holds those before it."""
    try:
        steps = plan(sourced_ros())
    except StepError as err:
        print(f"vidgen: {err}", file=sys.stderr)
        return 2
    key, worked = "", False
    for number, (name, label, content, action) in enumerate(steps, start=1):
        key = digest(key, content)
        stamp = STATE / f"{name}.stamp"
        if stamp.exists() and stamp.read_text() == key and PYTHON.exists():
            continue
        print(f"[{number}/{len(steps)}] {label} ... ", end="", flush=True)
        begin = time.monotonic()
        try:
            stamp.unlink(missing_ok=True)
            action()
            STATE.mkdir(parents=True, exist_ok=True)
            stamp.write_text(key)
        except StepError as err:
            print(f"failed after {time.monotonic() - begin:.1f} s\n{err}", flush=True)
            return 1
        except KeyboardInterrupt:
            print("interrupted; the next run goes on from here", flush=True)
            return 130
        print(f"{time.monotonic() - begin:.1f} s", flush=True)
        worked = True
    if worked:
        os.sync()  # a frame waits until its record is on the disk: gigabytes of packages must not be before it in line
    return 0


if __name__ == "__main__":
    sys.exit(main())
