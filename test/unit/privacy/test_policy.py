# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Every number by which persons are treated stands in the record that each leaf names."""

from __future__ import annotations

import ast
import dataclasses
import json
import re
from pathlib import Path
from types import ModuleType

import pytest

from vidgen_nodes.custody.digest import canonical
from vidgen_nodes.custody.identity import config_identity, params_from_config
from vidgen_nodes.params import ArParams, NodeParams
from vidgen_nodes.privacy import policy, warm_bodies
from vidgen_nodes.privacy.policy import LIVE, person_policy

PACKAGE = Path(policy.__file__).parent
SOURCES = sorted(PACKAGE.rglob("*.py"))
CODE = PACKAGE.parent


def assigned(path: Path) -> set[str]:
    """Names of the constants that a module assigns."""
    found: set[str] = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        for target in targets:
            names = target.elts if isinstance(target, ast.Tuple) else [target]
            found |= {name.id for name in names if isinstance(name, ast.Name) and name.id.isupper()}
    return found


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_every_constant_of_every_module_is_recorded(path: Path) -> None:
    constants = person_policy(ArParams())["constants"]
    assert isinstance(constants, dict)
    recorded = constants.get(path.stem, {})
    missing = {name for name in assigned(path) if name.lstrip("_") not in recorded}
    assert not missing, f"{path.name}: {missing} have a form that the record does not know"


def test_every_parameter_that_the_treatment_of_persons_reads_is_recorded() -> None:
    """Read off the code: whatever ``privacy/`` takes from parameters, and what a ``HeadPolicy`` is made of."""
    read: set[str] = set()
    for path in CODE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            inside = path.is_relative_to(PACKAGE) and path.stem != "policy"
            called = isinstance(node, ast.Call) and getattr(node.func, "id", "") == "HeadPolicy"
            if (
                inside
                and isinstance(node, ast.Attribute)
                and getattr(node.value, "id", "") in ("params", "ar")
            ):
                read.add(node.attr)
            elif called:
                assert isinstance(node, ast.Call)
                attributes = [a for arg in node.args for a in ast.walk(arg) if isinstance(a, ast.Attribute)]
                read |= {a.attr for a in attributes} - {"params", "ar"}
    assert read >= {"person_alpha_cap", "person_polarity", *LIVE}
    recorded = json.dumps(config_identity(NodeParams()), default=repr)
    assert [name for name in sorted(read) if f'"{name}"' not in recorded] == []


def test_every_parameter_about_persons_of_any_node_is_recorded() -> None:
    about = re.compile(r"person|head_mosaic|face|raw_access|anonym|privacy")
    recorded = json.dumps(config_identity(NodeParams()), default=repr)
    found = []
    for node in dataclasses.fields(NodeParams):
        if node.name == "sim":  # where the simulated victim lies
            continue
        found += [
            f.name for f in dataclasses.fields(getattr(NodeParams(), node.name)) if about.search(f.name)
        ]
    assert set(found) >= {"person_alpha_cap", "person_polarity", "raw_access", *LIVE}
    assert [name for name in found if f'"{name}"' not in recorded] == []


def test_a_changed_number_changes_the_record(monkeypatch: pytest.MonkeyPatch) -> None:
    before = canonical(config_identity(NodeParams()))
    for change in ({"head_mosaic_px_per_m": 130.0}, {"nearest_person_m": 20.0}):
        assert canonical(config_identity(NodeParams(ar=ArParams(**change)))) != before
    for name, value in (("CONTRAST_K", 4.0), ("BODY", dataclasses.replace(warm_bodies.BODY, ring_m=2.0))):
        policy.constants.cache_clear()
        with monkeypatch.context() as patch:
            patch.setattr(warm_bodies, name, value)
            assert canonical(config_identity(NodeParams())) != before
        policy.constants.cache_clear()
    assert canonical(config_identity(NodeParams())) == before


def test_live_parameters_come_back_from_a_record() -> None:
    params = NodeParams(ar=ArParams(head_mosaic_px_per_m=99.0, nearest_person_m=12.0))
    again = params_from_config(config_identity(params))
    assert (again.ar.head_mosaic_px_per_m, again.ar.nearest_person_m) == (99.0, 12.0)


def test_what_has_no_canonical_form_is_left_out_and_named_by_the_test_above() -> None:
    module = ModuleType("made_up")
    module._SIDE_M, module.THING, module.lower = 0.5, object(), 3  # type: ignore[attr-defined]
    assert policy._of_module(module) == {"SIDE_M": 0.5}
