# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""``vidgen scene``: pictures that show what they are said to show, each bound to a record that verifies."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from vidgen_nodes.cli import scene, scene_room
from vidgen_nodes.cli.main import main
from vidgen_nodes.delivery.ar import visible_rgb
from vidgen_nodes.packets import ThermalFrame
from vidgen_nodes.params import SimParams
from vidgen_nodes.scene.camera import Camera
from vidgen_nodes.sim import person, rig, site
from vidgen_nodes.sim.daylight import daylight
from vidgen_nodes.sim.thermal_scene import ThermalScene


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


@pytest.fixture(scope="module")
def leak(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Leaks and no fire."""
    out = tmp_path_factory.mktemp("scene") / "leak"
    assert main(["scene", "leak", "--out", str(out)]) == 0
    return out


def test_the_leak_scene_draws_steam_before_the_wall_and_nothing_else(leak: Path) -> None:
    bare = daylight(rig.calibration(), scene._LEAK_EYE)
    changed = np.abs(picture(leak / "leak_visible.png") - bare).max(axis=2)
    camera = Camera(rig.calibration(), scene._LEAK_EYE)

    def at(east_m: float, north_m: float, up_m: float) -> int:
        x, y = camera.project(np.array([[east_m, north_m, up_m]]))[0][0]
        return int(changed[round(y) - 2 : round(y) + 3, round(x) - 2 : round(x) + 3].max())

    assert at(6.5, -2.6, 2.8) > 60
    assert at(6.8, -2.6, 4.0) > 40
    for place in ((6.2, -3.8, 3.0), (6.2, 0.5, 3.0), (6.4, -2.6, 1.2), (0.0, 0.0, 6.0), (2.0, -4.2, 1.5)):
        assert at(*place) == 0
    assert not (changed > 0)[:, :250].any()  # the roof's damage, the south wall, the boiler room behind it


def test_the_ledger_beside_the_pictures_verifies(
    wall: Path, room: Path, leak: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for ledger in (wall, leak, room / "vent_shut", room / "vent_open"):
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
    (solved,) = told["elements"]
    assert (solved["kind"], solved["name"]) == ("smoke", "the solved air")
    assert "40x32x24 cells of 0.125 m" in solved["why"]
    assert solved["state"]["divergence"][0] < 1e-5
    assert {item["element"] for item in told["physics"]} == {"flame", "smoke", "smoke/solver"}


def explained(
    ledger: Path, frame: str, pixel: np.ndarray, capsys: pytest.CaptureFixture[str]
) -> dict[str, Any]:
    x, y = (str(round(value)) for value in pixel)
    assert main(["explain", str(ledger), frame, x, y, "--json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out.splitlines()[-1])
    return found


def test_a_pixel_of_the_flame_in_the_room_is_traced_to_its_ignition_and_air_outside_to_nothing(
    room: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    camera = Camera(rig.calibration(), scene_room._EYE)
    pixels = camera.project(np.array([[3.2, 3.75, 0.3], [2.5, 2.0, 9.0]]))[0]
    told = explained(room / "vent_shut", "seq:0", pixels[0], capsys)
    flame = next(item for item in told["elements"] if item["kind"] == "flame")
    assert (flame["name"], flame["ignition"]) == ("fire bin", "bin")
    assert flame["state"]["heat_release_kw"][0] == pytest.approx(200.0)
    assert any("carpet" in column["why"] for column in told["columns"])
    above = explained(room / "vent_shut", "seq:0", pixels[1].clip(0, 500), capsys)
    assert above["verdict"] in ("open", "closed")
    assert not above["elements"]


def test_a_pixel_of_another_eye_is_explained_from_that_eye(
    wall: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["tag", "read", str(wall / "wall_06s_thermal.png"), "--json"]) == 0
    leaf = json.loads(capsys.readouterr().out.splitlines()[-1])["tags"][0]["leaf"]
    camera = Camera(rig.calibration(), scene._WALL_EYE)
    timber, bare = camera.project(np.array([[site.EAST_M, -0.4, 1.2], [site.EAST_M, 2.5, 1.2]]))[0]
    told = explained(wall / scene.VIEWER, str(leaf), timber, capsys)
    (surface,) = [item for item in told["elements"] if item["name"] == "burning surface wall_east"]
    assert surface["kind"] == "flame"
    assert surface["cells"][0]["off_the_ray_m"] < 0.5
    assert "timber_cladding" in surface["cells"][0]["bim"]
    assert told["surface"]["element"] == "wall_east"
    beside = explained(wall / scene.VIEWER, str(leaf), bare, capsys)
    assert beside["verdict"] != "element"


def test_a_person_before_the_flames_stays_in_sight(wall: Path) -> None:
    """What the eye's own thermal camera sees of a warm body counts, not what the drone's sees."""
    counts = ThermalScene(SimParams().seed).frame(scene._WALL_EYE, 300)
    frame = ThermalFrame(0, "", "mono16", counts, 0, None, False, math.nan, math.nan, 0.0, False, ())
    bare = visible_rgb(frame).astype(int)
    seen = picture(wall / "wall_06s_thermal.png")
    camera = Camera(rig.calibration(), scene._WALL_EYE)
    middles_m = np.array(person.FEET_M) + [[0.0, 0.0, part.middle_m] for part in person.PARTS]
    pixels, _ = camera.project(middles_m)
    for column, row in np.round(pixels).astype(int):
        assert bare[row, column].max() == 255  # warmer than all around
        assert np.abs(seen - bare)[row, column].max() <= 0.36 * 255  # person_alpha_cap, and what it rounds


def test_a_directory_with_something_in_it_is_refused(wall: Path) -> None:
    assert main(["scene", "wall", "--out", str(wall)]) == 2


def test_the_wind_scene_leans_the_flame_downwind_and_ends_with_the_columns(tmp_path: Path) -> None:
    out = tmp_path / "wind"
    assert main(["scene", "wind", "--out", str(out)]) == 0
    bare = daylight(rig.calibration(), scene._WIND_EYE)
    changed = np.abs(picture(out / "wind_visible.png") - bare).max(axis=2)
    camera = Camera(rig.calibration(), scene._WIND_EYE)

    def at(north_m: float, up_m: float) -> int:
        x, y = camera.project(np.array([[6.75, north_m, up_m]]))[0][0]
        return int(changed[round(y) - 2 : round(y) + 3, round(x) - 2 : round(x) + 3].max())

    assert at(-1.0, 0.4) > 60  # over its base, which is drawn downwind
    assert at(-1.6, 0.7) > 60  # downwind, along its line
    assert at(-0.35, 2.0) == 0  # where it would stand in still air
    assert at(0.8, 0.5) == 0  # upwind
    assert at(-6.0, 2.5) == 0  # beyond the open columns
