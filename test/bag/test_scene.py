# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""``vidgen scene``: pictures that show what they are said to show, each bound to a record that verifies."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from vidgen_nodes.cli import scene, scene_room
from vidgen_nodes.cli.main import main
from vidgen_nodes.scene.camera import Camera
from vidgen_nodes.sim import rig, site
from vidgen_nodes.sim.daylight import daylight


@pytest.fixture(scope="module")
def wall(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One moment of the wall fire, once as it is and once with another eye's backdrop to compare with."""
    out = tmp_path_factory.mktemp("scene") / "wall"
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(scene.FLIGHTS, "wall", (scene.View("wall_06s", 6.0, scene._WALL_EYE),))
        assert main(["scene", "wall", "--out", str(out)]) == 0
    return out


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The room after a few seconds."""
    out = tmp_path_factory.mktemp("scene") / "room"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scene_room, "AT_S", (7.0,))
        assert main(["scene", "room", "--out", str(out)]) == 0
    return out


def picture(path: Path) -> np.ndarray:
    return cv2.imread(str(path))[: rig.HEIGHT_PX].astype(int)[..., ::-1]


def test_the_wall_scene_draws_before_the_timber_and_not_before_the_concrete(wall: Path) -> None:
    changed = np.abs(
        picture(wall / "wall_06s_visible.png") - daylight(rig.calibration(), scene._WALL_EYE)
    ).max(axis=2)
    camera = Camera(rig.calibration(), scene._WALL_EYE)

    def at(north_m: float, up_m: float) -> int:
        (x, y), _ = camera.project(np.array([[site.EAST_M, north_m, up_m]]))[0][0], None
        return int(changed[round(y) - 2 : round(y) + 3, round(x) - 2 : round(x) + 3].max())

    for up_m in (0.6, 1.2, 1.8):
        assert at(-0.4, up_m) > 40
        assert at(-2.5, up_m) == 0
        assert at(2.5, up_m) == 0
    assert at(-0.4, 5.8) < 40  # it has not climbed so far in 6 s


def test_the_ledger_beside_the_pictures_verifies(
    wall: Path, room: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for ledger in (wall, room / "vent_shut", room / "vent_open"):
        assert main(["verify", str(ledger), "--json"]) == 0
        assert json.loads(capsys.readouterr().out.splitlines()[-1])["verified"] is True


def test_smoke_gathers_under_the_ceiling(room: Path) -> None:
    for name in ("shut", "open"):
        seen = picture(room / f"vent_{name}_07s_visible.png")
        bare = daylight(rig.calibration(), scene_room._EYE, scene_room._faces(name == "open"))
        changed = np.abs(seen - bare).max(axis=2)
        camera = Camera(rig.calibration(), scene_room._EYE)
        (_, high), (_, low) = camera.project(np.array([[1.0, 3.9, 2.7], [1.0, 3.9, 0.3]]))[0]
        (left, _), (right, _) = camera.project(np.array([[0.5, 3.9, 1.0], [2.0, 3.9, 1.0]]))[0]
        across = slice(round(left), round(right))
        assert changed[round(high), across].mean() > 5.0 * max(changed[round(low), across].mean(), 1.0)


def test_a_pixel_of_the_solved_smoke_is_traced_to_the_solver(
    room: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["explain", str(room / "vent_shut"), "seq:0", "200", "120", "--json"]) == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert told["verdict"] == "element"
    assert told["elements"][0]["kind"] == "smoke"
    assert told["elements"][0]["name"] == "element smoke/solved"
    assert "Boussinesq solver" in told["elements"][0]["why"]
    assert told["physics"][0]["numbers"]["residuals"]["divergence"][0] < 1e-5


def test_a_directory_with_something_in_it_is_refused(wall: Path) -> None:
    assert main(["scene", "wall", "--out", str(wall)]) == 2
