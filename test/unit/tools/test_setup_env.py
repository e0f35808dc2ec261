# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Set-up: what it refuses, when a step runs again, what an interruption leaves."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def tool(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    """The script, with its environment in an empty folder."""
    spec = importlib.util.spec_from_file_location("setup_env", ROOT / "tools" / "setup_env.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "VENV", tmp_path / "venv")
    monkeypatch.setattr(module, "STATE", tmp_path / "venv" / ".setup")
    monkeypatch.setattr(module, "SITE", tmp_path / "venv" / "site-packages")
    monkeypatch.setattr(module, "PYTHON", Path(sys.executable))
    monkeypatch.delenv("ROS_DISTRO", raising=False)
    return module


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("platform.system", "Darwin", "this is Darwin on"),
        ("platform.machine", "aarch64", "on aarch64"),
        ("platform.python_implementation", "PyPy", "this is PyPy"),
        ("sys.version_info", (3, 9, 18), "choose another"),
        ("sys.version_info", (3, 15, 0), "choose another"),
    ],
)
def test_another_platform_is_refused_in_one_line(
    tool: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    name: str,
    value: object,
    words: str,
) -> None:
    module, attribute = name.split(".")
    answer = value if module == "sys" else lambda: value
    monkeypatch.setattr(getattr(tool, module), attribute, answer)
    assert tool.main() == 2
    said = capsys.readouterr().err
    assert words in said
    assert "supported: Linux on x86-64 with CPython 3.10 to 3.14" in said
    assert said.count("\n") == 1


def test_no_compiler_is_said(tool: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _name, **_: None)
    assert "no C compiler" in tool.unsupported()


def steps(tool: ModuleType, monkeypatch: pytest.MonkeyPatch, contents: dict[str, str]) -> list[str]:
    """Let the plan be these steps; returns the list of those that ran."""
    ran: list[str] = []
    plan = [(name, name, content, lambda name=name: ran.append(name)) for name, content in contents.items()]
    monkeypatch.setattr(tool, "plan", lambda _distro: plan)
    return ran


def test_a_second_run_does_nothing(tool: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    for expected in (["a", "b"], []):
        ran = steps(tool, monkeypatch, {"a": "1", "b": "1"})
        assert tool.run_due() == 0
        assert ran == expected


def test_a_change_runs_its_step_and_those_after_it(tool: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    steps(tool, monkeypatch, {"a": "1", "b": "1", "c": "1"})
    tool.run_due()
    ran = steps(tool, monkeypatch, {"a": "1", "b": "2", "c": "1"})
    tool.run_due()
    assert ran == ["b", "c"]


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, "StepError"])
def test_an_interrupted_step_runs_again(
    tool: ModuleType, monkeypatch: pytest.MonkeyPatch, interruption: type[BaseException] | str
) -> None:
    error = getattr(tool, interruption) if isinstance(interruption, str) else interruption

    def stop() -> None:
        raise error("stopped")

    first = steps(tool, monkeypatch, {"a": "1"})
    plan = [*tool.plan(""), ("b", "b", "1", stop)]
    monkeypatch.setattr(tool, "plan", lambda _distro: plan)
    assert tool.run_due() != 0
    assert first == ["a"]
    again = steps(tool, monkeypatch, {"a": "1", "b": "1"})
    assert tool.run_due() == 0
    assert again == ["b"]


def test_a_failed_command_shows_the_end_of_its_log(tool: ModuleType) -> None:
    with pytest.raises(tool.StepError, match=r"(?s)line 99\n.*status 3.*x\.log"):
        tool.call("x", [sys.executable, "-c", "[print('line', n) for n in range(100)]; raise SystemExit(3)"])


def test_what_an_interrupted_pip_left_is_removed(tool: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """pip writes RECORD last; a package without it would count as installed."""
    whole, half = tool.SITE / "whole-1.dist-info", tool.SITE / "half-1.dist-info"
    for folder in (whole, half):
        folder.mkdir(parents=True)
        (folder / "METADATA").write_text("")
    (whole / "RECORD").write_text("")
    monkeypatch.setattr(tool, "call", lambda *_: None)
    tool.pip_install("x")
    assert whole.exists()
    assert not half.exists()


def test_exported_cmake_files_name_this_machine(tool: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    share = tool.VENV / "share" / "std_msgs" / "cmake"
    share.mkdir(parents=True)
    tool.STATE.mkdir(parents=True)
    built = "/builder/python/cp311"
    exported = share / "export.cmake"
    numpy_built = f"{built}/lib/python3.11/site-packages/numpy/_core/include"
    exported.write_text(f'  INCLUDE "${{PREFIX}}/include;{built}/include/python3.11;{numpy_built}"\n')
    untouched = share / "other.cmake"
    untouched.write_text('set(X "${_IMPORT_PREFIX}/include/std_msgs")\n')
    monkeypatch.setattr(tool, "pip_install", lambda *_: None)
    tool.install_ros_wheels()
    first = exported.read_text()
    assert built not in first
    assert '"${PREFIX}/include;' in first
    numpy_include, python_include = first.rsplit(";", 1)[1].strip().strip('"'), first.split(";")[1]
    assert (Path(numpy_include) / "numpy" / "arrayobject.h").exists()
    assert (Path(python_include) / "Python.h").exists()
    assert "include/std_msgs" in untouched.read_text()
    tool.install_ros_wheels()
    assert exported.read_text() == first


def test_renaming_a_file_changes_the_hash(tool: ModuleType, tmp_path: Path) -> None:
    one, two = tmp_path / "One.msg", tmp_path / "Two.msg"
    one.write_text("string a\n")
    before = tool.digest(one)
    shutil.move(one, two)
    assert tool.digest(two) != before


def package(folder: Path, name: str, text: str = "") -> None:
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.py").write_text(text)


def test_a_sourced_ros_that_python_can_import_is_used(
    tool: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    package(tmp_path / "ros", "rclpy")
    package(tmp_path / "ros", "message_filters")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "ros"))
    assert tool.sourced_ros() == ""
    monkeypatch.setenv("ROS_DISTRO", "jazzy")
    assert tool.sourced_ros() == "jazzy"


def test_a_sourced_ros_that_python_cannot_import_is_refused_in_one_line(
    tool: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    package(tmp_path / "ros", "rclpy", "raise ImportError('librcl.so: not found')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "ros"))
    monkeypatch.setenv("ROS_DISTRO", "jazzy")
    assert tool.main() == 2
    said = capsys.readouterr().err
    assert "librcl.so: not found" in said
    assert "ros-jazzy-message-filters" in said
    assert said.count("\n") == 1


def test_a_ros_distro_without_search_paths_is_no_sourced_ros(
    tool: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AMENT_PREFIX_PATH", "PYTHONPATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ROS_DISTRO", "jazzy")
    assert tool.sourced_ros() == ""


@pytest.mark.parametrize(("numpy", "opencv"), [("1.26.4", "opencv-python-headless>=4.8,<5"), ("2.3.1", "==")])
def test_the_numpy_of_a_sourced_ros_stays_and_opencv_goes_with_it(
    tool: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, numpy: str, opencv: str
) -> None:
    package(tmp_path / "ros", "numpy", f"__version__ = {numpy!r}")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "ros"))
    monkeypatch.setattr(tool, "IMPORT_NAMES", {"numpy": "numpy"})
    asked: list[str] = []
    monkeypatch.setattr(tool, "pip_install", lambda _name, *files: asked.extend(map(str, files)))
    tool.STATE.mkdir(parents=True)
    tool.install_beside_ros("run")
    wanted, kept = (Path(asked[n]).read_text().splitlines() for n in (1, 3))
    assert kept == [f"numpy=={numpy}"]
    assert not [line for line in wanted if line.startswith("numpy")]
    (line,) = (line for line in wanted if line.startswith("opencv"))
    assert opencv in line
