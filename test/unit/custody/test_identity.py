# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What is said of software and parameters, and that saying it never fails."""

from __future__ import annotations

import dataclasses
import hashlib
import math
import subprocess
import sys

import pytest

import vidgen_nodes
from vidgen_nodes.custody import identity
from vidgen_nodes.custody.digest import canonical
from vidgen_nodes.errors import ConfigError
from vidgen_nodes.params import GeneratorParams, NodeParams, RtkParams, SyncParams, ThermalParams
from vidgen_nodes.resources import file_content


def test_software_identity_has_a_canonical_form_and_names_what_rounds():
    found = identity.software_identity()
    canonical(found)
    assert found["vidgen"] == vidgen_nodes.__version__
    assert found["python"] == ".".join(map(str, sys.version_info[:3]))
    assert {"numpy", "torch", "opencv", "cpu_flags", "commit", "ros_distro", "source_sha256"} <= set(found)
    assert found["numpy"] is not None


def test_software_identity_imports_nothing_heavy():
    code = (
        "import sys; from vidgen_nodes.custody.identity import software_identity; software_identity();"
        "print(sorted({'torch', 'cv2', 'rclpy'} & set(sys.modules)))"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"


def test_the_returned_identity_can_be_changed_without_harm():
    identity.software_identity()["vidgen"] = "other"
    assert identity.software_identity()["vidgen"] == vidgen_nodes.__version__


def test_source_hash_follows_every_file(tmp_path):
    (tmp_path / "a.py").write_text("x = 1\n")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "c.py").write_text("y = 1\n")
    before = identity._source_hash(tmp_path)
    assert identity._source_hash(tmp_path) == before
    (tmp_path / "b" / "c.py").write_text("y = 2\n")
    assert identity._source_hash(tmp_path) != before
    assert before != hashlib.sha256().hexdigest()


def test_without_a_checkout_or_git_there_is_no_commit(tmp_path, monkeypatch):
    assert identity._commit(tmp_path) is None
    (tmp_path / ".git").mkdir()  # looks like a checkout but is none
    assert identity._commit(tmp_path) is None
    monkeypatch.setenv("PATH", "")
    assert identity._commit(tmp_path) is None


def test_commit_of_a_checkout(tmp_path):
    def git(*words):
        subprocess.run(["git", "-C", str(tmp_path), *words], check=True, capture_output=True)

    git("init", "-q")
    git("-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "-q", "--allow-empty", "-m", "one")
    commit = identity._commit(tmp_path)
    assert commit is not None
    assert len(commit) == 40


def test_cpu_flags_are_those_that_choose_kernels(tmp_path):
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text("processor: 0\nflags\t\t: fpu fma avx avx2 sse4_2\n")
    assert identity._cpu_flags(cpuinfo) == ["avx2", "fma"]
    assert identity._cpu_flags(tmp_path / "none") is None
    cpuinfo.write_text("nothing of use")
    assert identity._cpu_flags(cpuinfo) is None


def test_absent_package_is_none():
    assert identity._version(("no-such-package-of-ours",)) is None
    assert identity._version(("no-such-package-of-ours", "numpy")) == identity._version(("numpy",))


def test_configuration_is_what_decides_the_picture():
    base = identity.config_identity(NodeParams())
    assert set(base) == {"thermal", "rtk", "lidar", "sync", "generator", "privacy"}
    elsewhere = NodeParams(
        sync=SyncParams(replay_wait_ms=50.0),
        generator=GeneratorParams(
            mission="b", origin="sim", ledger="x.db", scenario_file="/a", building_file="/b"
        ),
    )
    assert identity.config_identity(elsewhere) == base
    assert identity.config_identity(NodeParams(sync=SyncParams(nav_delay_ms=16.0))) != base


def test_every_parameter_of_a_deciding_node_is_recorded_or_named_as_not_deciding():
    recorded = identity.config_identity(NodeParams())
    del recorded["privacy"]  # test/unit/privacy/test_policy.py
    for node, values in recorded.items():
        names = {item.name for item in dataclasses.fields(getattr(NodeParams(), node))}
        assert names - set(values) <= identity._NOT_DECIDING


def test_parameters_come_back_from_a_configuration_record():
    params = NodeParams(rtk=RtkParams(datum_latitude_deg=48.1), sync=SyncParams(nav_delay_ms=7.0))
    again = identity.params_from_config(identity.config_identity(params))
    assert identity.config_identity(again) == identity.config_identity(params)
    assert again.rtk.datum_latitude_deg == 48.1
    assert math.isnan(again.rtk.datum_longitude_deg)


@pytest.mark.parametrize(
    "record",
    [None, {}, {"sync": {}}, dict.fromkeys(("thermal", "rtk", "lidar", "sync", "generator", "privacy"))],
)
def test_another_record_is_refused(record):
    with pytest.raises(ConfigError, match="configuration record"):
        identity.params_from_config(record)


def test_a_parameter_of_another_version_is_refused():
    record = identity.config_identity(NodeParams())
    record["sync"] = {"warp": 1.0}
    with pytest.raises(ConfigError, match="warp"):
        identity.params_from_config(record)


def test_a_calibration_file_is_recorded_by_what_it_says(tmp_path):
    text = "image_width: 640\nimage_height: 512\n"
    names = []
    for folder in ("here", "there"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "cam.yaml").write_text(text)
        names.append(str(tmp_path / folder / "cam.yaml"))
    here, there = (
        identity.config_identity(NodeParams(thermal=ThermalParams(calibration_file=name))) for name in names
    )
    assert here == there
    again = identity.params_from_config(here)
    assert again.thermal.calibration_file == text
    assert identity.config_identity(again) == here  # frames can be derived again without the file


def test_a_calibration_file_that_is_gone_is_recorded_by_its_name():
    params = NodeParams(thermal=ThermalParams(calibration_file="gone.yaml"))
    found = identity.config_identity(params)["thermal"]
    assert found["calibration_file"] == "gone.yaml"


def test_assets_have_a_hash_of_their_own_that_code_does_not_change(tmp_path):
    (tmp_path / "a.py").write_text("x = 1\n")
    (tmp_path / "mark.png").write_bytes(b"one")
    code, assets = identity._source_hash(tmp_path), identity._source_hash(tmp_path, code=False)
    (tmp_path / "mark.png").write_bytes(b"two")
    assert identity._source_hash(tmp_path) == code
    assert identity._source_hash(tmp_path, code=False) != assets
    assert "assets_sha256" in identity.software_identity()


def test_the_correction_decides_where_persons_are_seen_and_is_recorded_whole(tmp_path):
    path = tmp_path / "flat.npz"
    path.write_bytes(b"PK not really")
    params = NodeParams(thermal=ThermalParams(correction_file=str(path)))
    config = identity.config_identity(params)
    path.unlink()
    recorded = identity.params_from_config(config).thermal.correction_file
    assert file_content(recorded) == b"PK not really"
    assert str(path) not in str(config)
