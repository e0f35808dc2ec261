# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Builders of small scenes, shared by the tests of ``vidgen_nodes.scene``."""

from __future__ import annotations

from types import SimpleNamespace
from typing import ClassVar

import numpy as np
import pytest
import yaml

from vidgen_nodes.packets import (
    Bundle,
    CameraCalibration,
    Grid,
    Ignition,
    Pose,
    RtkStatus,
    Scenario,
    ThermalFrame,
    UncertaintyMap,
)
from vidgen_nodes.scene.building import Building, Surface, load_building

SECOND_NS = 1_000_000_000
NOW_NS = 1_000 * SECOND_NS


def calibration(width=160, height=128, focal=150.0, model="plumb_bob", distortion=()):
    matrix = np.array([[focal, 0, width / 2 - 0.5], [0, focal, height / 2 - 0.5], [0, 0, 1]])
    return CameraCalibration(NOW_NS, "thermal", width, height, matrix, model, np.array(distortion, float))


def look_at(position, target):
    """Pose of an optical frame at ``position`` that looks at ``target`` with its x axis level."""
    forward = np.subtract(target, position) / np.linalg.norm(np.subtract(target, position))
    right = np.cross(forward, (0.0, 0.0, 1.0))
    if np.linalg.norm(right) < 1e-6:
        right = np.array((1.0, 0.0, 0.0))
    right = right / np.linalg.norm(right)
    rotation = np.column_stack((right, np.cross(forward, right), forward))
    from scipy.spatial.transform import Rotation

    return Pose(np.array(position, float), Rotation.from_matrix(rotation).as_quat())


def surface(name, corners, combustible=True, kind="wall", material="timber"):
    return Surface(name, material, kind, np.array(corners, float), combustible)


def mesh(name, corners, faces, combustible=True, kind="wall", material="timber", **rest):
    corners = np.array(corners, float)
    return Surface(name, material, kind, corners, combustible, np.array(faces, np.int32), **rest)


def box(name, low, high, combustible=True, kind="wall", **rest):
    """A closed box of triangles, outside outwards."""
    (x0, y0, z0), (x1, y1, z1) = low, high
    corners = [[x, y, z] for z in (z0, z1) for y in (y0, y1) for x in (x0, x1)]
    quads = [(0, 2, 3, 1), (4, 5, 7, 6), (0, 1, 5, 4), (2, 6, 7, 3), (0, 4, 6, 2), (1, 3, 7, 5)]
    faces = [tri for a, b, c, d in quads for tri in ((a, b, c), (a, c, d))]
    return mesh(name, corners, faces, combustible, kind, **rest)


def wall(name, x0, y0, x1, y1, combustible=True, low=0.0, high=3.0):
    return surface(name, [[x0, y0, low], [x1, y1, low], [x1, y1, high], [x0, y0, high]], combustible)


def plate(name, x0, y0, x1, y1, z, combustible=False, kind="roof"):
    return surface(name, [[x0, y0, z], [x1, y0, z], [x1, y1, z], [x0, y1, z]], combustible, kind)


def building(*surfaces):
    return Building("test", tuple(surfaces))


def ignition(name, x, y, z=0.0):
    return Ignition(name, (x, y, z), 0.0, 0.01, 500.0, 0.5, 0.35, 0.015, 15000.0, 1.5)


def scenario(*ignitions):
    return Scenario("test", NOW_NS, 1, 293.0, tuple(ignitions), True, b"s" * 32)


def uncertainty_map(grid, stamp_ns=NOW_NS - SECOND_NS, **layers):
    """Flat ground at height 0, seen ten times a second ago and certain, unless ``layers`` say otherwise."""

    def layer(name, value, dtype=np.float32):
        return np.array(np.broadcast_to(layers.get(name, value), grid.shape), dtype)

    return UncertaintyMap(
        stamp_ns,
        grid,
        layer("elevation_m", 0.0),
        layer("variance_m2", 0.01),
        layer("uncertainty", 0.0),
        layer("entropy", 0.1),
        layer("roughness_m", 0.01),
        layer("deviation_m", 0.0),
        layer("surface_variation", 0.001),
        layer("lod95_m", 0.1),
        layer("observations", 10, np.uint16),
        layer("observed_ns", stamp_ns, np.int64),
        layer("flags", 0, np.uint8),
        b"m" * 32,
        (),
    )


def bundle(umap, pose, calib, causes=(), frozen=False, stamp_ns=NOW_NS, shape=None):
    shape = shape or (calib.height_px, calib.width_px)
    thermal = ThermalFrame(
        stamp_ns,
        "thermal",
        "mono16",
        np.zeros(shape, np.uint16),
        0,
        calib,
        False,
        np.nan,
        np.nan,
        0.0,
        frozen,
        (),
    )
    return Bundle(
        stamp_ns, 0, 0, thermal, pose, None, stamp_ns, RtkStatus.FIXED, umap, 0.5, tuple(causes), (), {}
    )


class IfcSite:
    """A small model, written entity by entity."""

    UNITS: ClassVar = {
        "metre": (None, None),
        "mm": ("MILLI", None),
        "inch": (None, 0.0254),
        "foot": (None, 0.3048),
    }

    def __init__(self, schema="IFC4", unit="metre"):
        import ifcopenshell
        import ifcopenshell.guid

        self.guid = ifcopenshell.guid.new
        self.model = ifcopenshell.file(schema=schema)
        self.make = self.model.create_entity
        self.origin = self.make("IfcAxis2Placement3D", Location=self.point(0, 0, 0))
        self.context = self.make(
            "IfcGeometricRepresentationContext",
            ContextType="Model",
            CoordinateSpaceDimension=3,
            Precision=1e-5,
            WorldCoordinateSystem=self.origin,
        )
        self.project = self.root("IfcProject", "P", RepresentationContexts=[self.context])
        if unit:
            self.project.UnitsInContext = self.make("IfcUnitAssignment", Units=[self.length_unit(unit)])
        self.site = self.root("IfcSite", "S", ObjectPlacement=self.place(0, 0, 0))
        self.house = self.root("IfcBuilding", "B", ObjectPlacement=self.place(0, 0, 0))
        self.storey = self.root("IfcBuildingStorey", "L1", ObjectPlacement=self.place(0, 0, 0))
        for whole, part in ((self.project, self.site), (self.site, self.house), (self.house, self.storey)):
            self.aggregate(whole, part)

    def length_unit(self, unit):
        prefix, factor = self.UNITS[unit]
        metre = self.make("IfcSIUnit", UnitType="LENGTHUNIT", Prefix=prefix, Name="METRE")
        if factor is None:
            return metre
        measure = self.make(
            "IfcMeasureWithUnit", ValueComponent=self.make("IfcReal", factor), UnitComponent=metre
        )
        powers = self.make("IfcDimensionalExponents", 1, 0, 0, 0, 0, 0, 0)
        return self.make("IfcConversionBasedUnit", powers, "LENGTHUNIT", unit.upper(), measure)

    def point(self, *values):
        return self.make("IfcCartesianPoint", [float(value) for value in values])

    def direction(self, *values):
        return self.make("IfcDirection", [float(value) for value in values])

    def place(self, x, y, z, yaw=(1, 0, 0), up=(0, 0, 1)):
        axes = self.make(
            "IfcAxis2Placement3D", self.point(x, y, z), self.direction(*up), self.direction(*yaw)
        )
        return self.make("IfcLocalPlacement", RelativePlacement=axes)

    def root(self, kind, name, **rest):
        return self.make(kind, GlobalId=self.guid(), Name=name, **rest)

    def aggregate(self, whole, *parts):
        self.root("IfcRelAggregates", None, RelatingObject=whole, RelatedObjects=list(parts))

    def box(self, kind, name, low, size, yaw=(1, 0, 0), up=(0, 0, 1), contained=True, **rest):
        """A box from ``low`` (in its own turned axes) of ``size``, in units of the model."""
        x, y, z = (float(value) for value in size)
        middle = self.make("IfcAxis2Placement2D", self.point(x / 2, y / 2))
        profile = self.make("IfcRectangleProfileDef", "AREA", None, middle, x, y)
        solid = self.make("IfcExtrudedAreaSolid", profile, self.origin, self.direction(0, 0, 1), z)
        body = self.make("IfcShapeRepresentation", self.context, "Body", "SweptSolid", [solid])
        shape = self.make("IfcProductDefinitionShape", Representations=[body])
        element = self.root(
            kind, name, ObjectPlacement=self.place(*low, yaw=yaw, up=up), Representation=shape, **rest
        )
        if contained:
            self.root(
                "IfcRelContainedInSpatialStructure",
                None,
                RelatedElements=[element],
                RelatingStructure=self.storey,
            )
        return element

    def wall(self, name="W", low=(0, 0, 0), size=(4, 0.2, 3), **rest):
        return self.box("IfcWall", name, low, size, **rest)

    def material(self, name):
        return self.make("IfcMaterial", Name=name)

    def layers(self, *names, usage="POSITIVE", axis="AXIS2", thickness=0.1):
        made = [
            self.make("IfcMaterialLayer", Material=self.material(name), LayerThickness=float(thickness))
            for name in names
        ]
        layers = self.make("IfcMaterialLayerSet", MaterialLayers=made)
        if usage is None:
            return layers
        return self.make("IfcMaterialLayerSetUsage", layers, axis, usage, 0.0)

    def give(self, material, *elements):
        self.root("IfcRelAssociatesMaterial", None, RelatedObjects=list(elements), RelatingMaterial=material)

    def pset(self, element, pset, **values):
        kinds = {bool: "IfcBoolean", str: "IfcLabel"}
        properties = [
            self.make(
                "IfcPropertySingleValue",
                Name=key,
                NominalValue=self.make(kinds[type(value)], value),
            )
            for key, value in values.items()
        ]
        found = self.root("IfcPropertySet", pset, HasProperties=properties)
        self.root(
            "IfcRelDefinesByProperties", None, RelatedObjects=[element], RelatingPropertyDefinition=found
        )

    def write(self, path):
        self.model.write(str(path))
        return path


@pytest.fixture(scope="session")
def ifc_site():
    pytest.importorskip("ifcopenshell", reason="IFC models need ifcopenshell")
    return IfcSite


@pytest.fixture
def read_here(monkeypatch):
    """Models are read in this process, which is quicker to start; ``test_ifc_process.py`` reads in another one."""
    from vidgen_nodes.scene import ifc_building
    from vidgen_nodes.scene.ifc_model import read_ifc
    from vidgen_nodes.scene.materials import material_table

    def read(path, **rest):
        return read_ifc(path, material_table(), **rest)

    monkeypatch.setattr(ifc_building, "read_apart", read)


@pytest.fixture
def load(tmp_path):
    """Write a model, and load it as it is or by a building file that says more of it."""

    def write_and_load(site, **placed):
        path = site.write(tmp_path / "model.ifc")
        if not placed:
            return load_building(path)
        file = tmp_path / "house.yaml"
        file.write_text(yaml.safe_dump({"ifc": "model.ifc", **placed}))
        return load_building(file)

    return write_and_load


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture(scope="session")
def make():
    return SimpleNamespace(
        SECOND_NS=SECOND_NS,
        NOW_NS=NOW_NS,
        Grid=Grid,
        calibration=calibration,
        look_at=look_at,
        surface=surface,
        mesh=mesh,
        box=box,
        wall=wall,
        plate=plate,
        building=building,
        ignition=ignition,
        scenario=scenario,
        uncertainty_map=uncertainty_map,
        bundle=bundle,
    )
