# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math

import pytest
import yaml

from vidgen_nodes.errors import ConfigError
from vidgen_nodes.resources import config_dir
from vidgen_nodes.scene.materials import find_material, load_materials, material_table


@pytest.mark.parametrize(
    ("name", "identity", "burns"),
    [
        ("Concrete - Cast-in-place", "concrete", False),
        ("Gypsum Wall Board", "gypsum_board", False),
        ("Cherry", "wood", True),
        ("timber_cladding", "wood", True),
        ("OSB/3", "particle_board", True),
        ("oak plywood 12mm", "plywood", True),
        ("Glass wool", "mineral_wool", False),
        ("Glass, clear", "glass", False),
        ("FR Plywood", "fire_retardant_wood", True),
        ("wood wool cement board", "wood_wool_cement", None),
        ("Laminate, Ivory, Matte", "laminate", None),
        ("mineral wool insulation", "mineral_wool", False),
        ("EPS insulation", "polystyrene", True),
        ("plywood", "plywood", True),
        ("pu_foam", "pu_foam", True),
    ],
)
def test_names_of_models(name, identity, burns):
    found = find_material(name)
    assert (found.identity, found.burns) == (identity, burns)


@pytest.mark.parametrize(
    "name",
    [
        "Default Wall",
        "",
        "unknown",
        "PVC coated steel",
        "Wood effect porcelain tile",
        "insulated steel panel",
        "Woodward Ltd. 12",
        "Concreteness",
        "plastic coated metal",
    ],
)
def test_names_that_do_not_tell_match_nothing_that_burns_or_not(name):
    found = find_material(name)
    assert found is None or found.burns is None


def test_the_numbers_of_quintiere_and_harkleroad_give_the_rates_they_should():
    """Opposed spread at Ts,min, mm/s, and ignition times at 30 kW/m2, s, as the reference lists them."""
    listed = {
        "plywood": (0.33, 64),
        "particle_board": (0.24, 125),
        "hardboard": (0.15, 126),
        "pmma": (0.17, 114),
        "pu_foam": (0.50, 38),
        "acrylic_carpet": (1.3, 29),
        "gypsum_board": (1.6, 117),
    }
    for name, (opposed_mmps, ignition_s) in listed.items():
        item = material_table().materials[name]
        opposed = item.phi_kw2_per_m3 / (item.krhoc * (item.ignition_degc - item.ts_min_degc) ** 2)
        time_s = math.pi / 4 * item.krhoc * ((item.ignition_degc - 20.0) / 30.0) ** 2
        assert opposed * 1000.0 == pytest.approx(opposed_mmps, rel=0.05)
        assert time_s == pytest.approx(ignition_s, rel=0.15)


def test_what_does_not_burn_spreads_nothing():
    for item in material_table().materials.values():
        assert not item.spreads or item.burns is True
        if item.euroclass in ("A1", "A2"):
            assert item.burns is False
    assert material_table().materials["plywood"].spreads
    assert not material_table().materials["polystyrene"].spreads  # numbers are missing: no spread on a guess


def test_every_number_has_a_source_or_says_it_is_from_memory():
    for item in material_table().materials.values():
        assert item.source
        assert all(len(text) > 10 for text in item.source)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"burns": "yes"}, "burns"),
        ({"burns": False}, "contradicts"),
        ({"euroclass": "G"}, "euroclass"),
        ({"krhoc": -1}, "krhoc"),
        ({"krhoc": float("nan")}, "krhoc"),
        ({"krhoc": True}, "krhoc"),
        ({"colour": 1}, "colour"),
        ({"source": ["hearsay"]}, "source"),
        ({"source": []}, "source"),
        ({"names": "plywood"}, "names"),
        ({"names": ["concrete"]}, "one thing"),
        ({"from_memory": ["taste"]}, "from_memory"),
    ],
)
def test_a_wrong_table_is_refused(tmp_path, change, words):
    content = yaml.safe_load((config_dir() / "materials.yaml").read_text())
    content["materials"]["plywood"].update(change)
    path = tmp_path / "materials.yaml"
    path.write_text(yaml.safe_dump(content))
    with pytest.raises(ConfigError, match=words):
        load_materials(path)


@pytest.mark.parametrize("text", ["", "[", "materials: {}", "sources: {}\nmaterials: []"])
def test_a_file_that_is_no_table_is_refused(tmp_path, text):
    path = tmp_path / "materials.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match="materials"):
        load_materials(path)


@pytest.mark.parametrize(
    ("name", "identity"),
    [
        ("05 Staal - RAL 7016", "steel"),
        ("Betong Plasstøpt - B35", "concrete"),
        ("03 Metselwerk - kalkzandsteen C", "masonry"),
        ("Vegg - Gips", "gypsum_board"),
        ("Madera - Castaño", "wood"),
        ("混凝土 - 现场浇注混凝土", "concrete"),
        ("玻璃", "glass"),
        ("99 Isolatie - Glaswol 170mm", "mineral_wool"),
        ("S355JR", "steel"),
        ("HEA 300 Q345B", "steel"),
        ("GL24h", "wood"),
    ],
)
def test_names_in_other_languages_and_designations_are_known(name, identity):
    found = find_material(name)
    assert found is not None
    assert found.identity == identity


@pytest.mark.parametrize(
    "name",
    ["默认墙", "Wärmedämmung - hart", "Ceiling Tile 600 x 600", "tre strati", "C24", "A1", "S35", "b500"],
)
def test_names_that_could_mean_anything_mean_nothing(name):
    assert find_material(name) is None


def test_a_known_word_comes_before_a_designation():
    found = find_material("Oak S355")
    assert found is not None
    assert found.identity == "wood"
