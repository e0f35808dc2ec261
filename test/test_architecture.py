# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The rules of docs/ARCHITECTURE.md that can be read off the source: floors, sizes, names, headers."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
CODE = ROOT / "vidgen_nodes"

# A part may import parts on lower floors. Sideways only what SIDEWAYS names: the flow of a frame.
FLOORS = [
    {
        "packets",
        "errors",
        "params",
        "resources",
        "drawn",
        "compiled",
        "black_body",
        "cdr",
        "scheduling",
        "text_file",
    },
    {
        "sensing",
        "sync",
        "scene",
        "scenario",
        "generation",
        "custody",
        "actuation",
        "privacy",
        "delivery",
        "graph",
        "cameras",
        "summary",
        "supervisor",
    },
    {"ros", "sim", "pipeline", "export", "validation"},
    {"nodes", "cli"},
]
SIDEWAYS = {
    ("params", "errors"),
    ("resources", "errors"),
    ("text_file", "errors"),
    ("drawn", "packets"),
    ("black_body", "packets"),
    ("sync", "sensing"),
    ("sync", "scene"),
    ("generation", "scene"),
    ("generation", "scenario"),
    ("custody", "scene"),
    ("custody", "generation"),
    ("custody", "privacy"),
    ("actuation", "custody"),
    ("cameras", "graph"),
    ("privacy", "scene"),
    ("privacy", "sync"),  # how far the picture moved
    ("delivery", "privacy"),
    ("export", "ros"),
    ("ros", "pipeline"),
    ("ros", "sim"),
}
ROS_PARTS = {"ros", "nodes"}
ROS_MODULE = re.compile(
    r"(rclpy|vidgen|message_filters|tf2_ros|cv_bridge|builtin_interfaces|sensor_msgs_py|rosbag2_py|launch|launch_ros"
    r"|ament_index_python|rosidl_\w+|\w+_msgs)(\.|$)"
)
NAMELESS = {"utils", "util", "helpers", "helper", "manager", "common", "misc", "utilities"}
LOCAL_PATH = re.compile(r"(?<![\w.])/(?:work|root|mnt)(?:/|\b)|/home/\w|/opt/(?!ros\b)\w")

SOURCES = sorted(CODE.rglob("*.py"))
SCRIPTS = [path for folder in ("tools", "launch", "bench") for path in sorted((ROOT / folder).rglob("*.py"))]
TESTS = sorted((ROOT / "test").rglob("*.py"))


def part_of(module: str) -> str:
    """``vidgen_nodes.ros.convert`` belongs to ``ros``; the package itself to no part."""
    names = module.split(".")
    return names[1] if len(names) > 1 else ""


def imports_of(path: Path) -> Iterator[tuple[int, str]]:
    """Line and full name of every module imported anywhere in a file, by name given to importlib too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            yield from ((node.lineno, f"{base}.{alias.name}") for alias in node.names)
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called in ("import_module", "__import__", "find_spec"):
                yield node.lineno, str(node.args[0].value)


def floor_of(part: str) -> int:
    return next(number for number, parts in enumerate(FLOORS) if part in parts)


def shown(path: Path) -> str:
    return str(path.relative_to(ROOT))


def project_files() -> list[Path]:
    """Everything that is ours and is text, whether or not git is at hand."""
    folders = [
        "vidgen_nodes",
        "test",
        "tools",
        "launch",
        "bench",
        "msg",
        "srv",
        "config",
        "docs",
        "requirements",
    ]
    inside = [path for folder in [*folders, ".ci"] for path in (ROOT / folder).rglob("*") if path.is_file()]
    top = [path for path in ROOT.iterdir() if path.is_file()]
    texts = {".py", ".md", ".msg", ".srv", ".yaml", ".toml", ".cfg", ".txt", ".xml", ".lock", ".sql", ""}
    return sorted(
        path for path in [*inside, *top] if path.suffix in texts and "__pycache__" not in path.parts
    )


def test_the_tests_see_the_code() -> None:
    assert CODE / "pipeline.py" in SOURCES
    assert any("/ros/" in shown(path) for path in SOURCES)
    assert len(project_files()) > len(SOURCES)


def test_every_part_stands_on_a_floor() -> None:
    known = set().union(*FLOORS)
    parts = {path.relative_to(CODE).parts[0].removesuffix(".py") for path in SOURCES} - {
        "__init__",
        "__main__",
    }
    assert parts <= known, f"give {sorted(parts - known)} a floor in FLOORS"


def test_nothing_imports_upwards_or_sideways() -> None:
    wrong = []
    for path in SOURCES:
        own = path.relative_to(CODE).parts[0].removesuffix(".py")
        if own in ("__init__", "__main__"):
            continue
        for line, module in imports_of(path):
            other = part_of(module) if module.startswith("vidgen_nodes.") else ""
            if not other or other in (own, "__version__"):
                continue
            if floor_of(other) >= floor_of(own) and (own, other) not in SIDEWAYS:
                wrong.append(f"{shown(path)}:{line}: {own} imports {other}")
    assert not wrong, "\n".join(sorted(set(wrong)))


def test_nothing_but_the_encoders_writes_pictures_or_videos() -> None:
    """They take nothing but ``Labelled``, and only ``label.py`` makes that: no unlabelled export exists."""
    encoders = {"delivery/encode.py", "delivery/video.py"}
    writers = {
        "imwrite",
        "imwritemulti",
        "imwriteanimation",
        "imencode",
        "imencodemulti",
        "VideoWriter",
        "savefig",
    }
    wrong = []
    for path in SOURCES:
        name = path.relative_to(CODE).as_posix()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            called = getattr(node, "attr", getattr(node, "id", ""))
            if called in writers and name not in encoders:
                wrong.append(f"{shown(path)}:{node.lineno}: {called}")
            if isinstance(node, ast.Call) and called == "" and name != "delivery/label.py":
                function = getattr(node.func, "id", getattr(node.func, "attr", ""))
                if function == "Labelled":
                    wrong.append(f"{shown(path)}:{node.lineno}: makes a Labelled")
        wrong += [
            f"{shown(path)}:{line}: {module}"
            for line, module in imports_of(path)
            if module.split(".")[0] in ("av", "PIL", "imageio", "matplotlib") and name not in encoders
        ]
    assert not wrong, "\n".join(wrong)


def test_only_the_border_imports_ros() -> None:
    wrong = [
        f"{shown(path)}:{line}: {module}"
        for path in SOURCES
        if path.relative_to(CODE).parts[0] not in ROS_PARTS
        for line, module in imports_of(path)
        if ROS_MODULE.match(module)
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    "module", ["rclpy.node.Node", "sensor_msgs.msg.Image", "vidgen.msg.SourceRef", "vidgen"]
)
def test_the_rule_knows_ros_modules(module: str) -> None:
    assert ROS_MODULE.match(module)
    assert not ROS_MODULE.match(f"vidgen_nodes.{module}")


def test_sizes() -> None:
    limits = [(path, 500) for path in [*SOURCES, *SCRIPTS]]
    limits += [(path, 150) for path in (CODE / "nodes").glob("*.py")]
    limits.append((CODE / "pipeline.py", 100))
    lengths = [(path, len(path.read_text(encoding="utf-8").splitlines()), limit) for path, limit in limits]
    wrong = [
        f"{shown(path)}: {length} lines, at most {limit}" for path, length, limit in lengths if length > limit
    ]
    assert not wrong, "\n".join(wrong)


def test_a_file_is_named_after_what_it_owns() -> None:
    wrong = [
        shown(path)
        for path in [*SOURCES, *SCRIPTS, *TESTS]
        if NAMELESS & set(re.split(r"[_/.]", shown(path).removesuffix(".py")))
    ]
    assert not wrong, wrong


def test_every_file_says_whose_it_is() -> None:
    named = {"Makefile", "CMakeLists.txt", ".ci/run", ".pre-commit-config.yaml"}
    kinds = {".py", ".yaml", ".toml", ".cfg", ".txt", ".sql"}
    ours = [path for path in project_files() if path.suffix in kinds or shown(path) in named]
    wrong = []
    for path in ours:
        lines = path.read_text(encoding="utf-8").splitlines()
        head = lines[1:3] if lines and lines[0].startswith("#!") else lines[:2]
        text = [line.lstrip("#- ").strip() for line in head]
        if text != ["Copyright 2026 The vidgen authors", "SPDX-License-Identifier: Apache-2.0"]:
            wrong.append(shown(path))
    assert not wrong, wrong


def test_no_file_names_a_folder_of_one_machine() -> None:
    wrong = [
        f"{shown(path)}:{number}: {line.strip()[:100]}"
        for path in project_files()
        if path != Path(__file__).resolve()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if LOCAL_PATH.search(line)
    ]
    assert not wrong, "\n".join(wrong)


def test_every_module_says_what_it_guarantees() -> None:
    wrong = [
        shown(path)
        for path in [*SOURCES, *SCRIPTS]
        if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert not wrong, wrong


def test_lark_is_never_asked_for() -> None:
    """``lark`` and ``lark-parser`` write the same files, and ROS needs ``lark-parser``."""
    for path in sorted((ROOT / "requirements").glob("*.txt")):
        names = [re.split(r"[=<>;\[ ]", line)[0].lower() for line in path.read_text().splitlines()]
        assert "lark" not in names, path.name
    assert "lark-parser==0.12.0" in (ROOT / "requirements" / "ros.txt").read_text()


def test_every_requirement_is_pinned() -> None:
    pinned = re.compile(r'[\w.-]+==[\w.]+(; python_version (>=|<) "3\.11")?')
    for path in sorted((ROOT / "requirements").glob("*.txt")):
        lines = [line for line in path.read_text().splitlines() if line and not line.startswith("#")]
        assert lines
        assert [line for line in lines if not pinned.fullmatch(line)] == [], path.name


def test_every_node_has_an_executable() -> None:
    scripts = dict(
        re.findall(r"^    (\w+) = ([\w.]+):main$", (ROOT / "setup.cfg").read_text(), flags=re.MULTILINE)
    )
    nodes = {path.stem for path in (CODE / "nodes").glob("*_node.py")}
    assert nodes
    assert {name for name in scripts if name != "vidgen"} == nodes
    assert all(scripts[name] == f"vidgen_nodes.nodes.{name}" for name in nodes)


def test_one_version_everywhere() -> None:
    found = {
        "package.xml": re.search(r"<version>(.+?)</version>", (ROOT / "package.xml").read_text()),
        "pyproject.toml": re.search(
            r'^version = "(.+?)"', (ROOT / "pyproject.toml").read_text(), re.MULTILINE
        ),
        "__init__.py": re.search(r'^__version__ = "(.+?)"', (CODE / "__init__.py").read_text(), re.MULTILINE),
        "CHANGELOG.md": re.search(r"^## \[(\d.+?)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE),
    }
    versions = {name: match.group(1) if match else None for name, match in found.items()}
    assert len(set(versions.values())) == 1, versions


# What our nodes may publish: sensor data between ourselves, pictures, records, and advice. A prefix or a whole name.
ADVISORY = (
    "thermal/", "drone/", "uncertainty/", "bundle", "sync/", "overlay/", "composite/", "ar/", "robot/", "hazards",
    "provenance", "discrepancy", "/diagnostics",
)  # fmt: skip


def published_topics(path: Path) -> Iterator[tuple[int, str]]:
    """Line and topic of every ``advertise`` or ``create_publisher`` that names its topic in place."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in ("advertise", "create_publisher")
            and len(node.args) > 1
            and isinstance(node.args[1], ast.Constant)
        ):
            yield node.lineno, str(node.args[1].value)


def test_nothing_synthetic_reaches_a_topic_that_acts_but_through_the_gate() -> None:
    sources = [path for path in SOURCES if path.relative_to(CODE).parts[0] in ROS_PARTS]
    acting = [
        (path, topic)
        for path in sources
        for _, topic in published_topics(path)
        if not topic.startswith(ADVISORY)
    ]
    assert {(path.stem, topic) for path, topic in acting} == {
        ("actuation_node", "actuation/command"),
        ("actuation_node", "actuation/state"),
        ("player", "/clock"),  # of a replay
    }
