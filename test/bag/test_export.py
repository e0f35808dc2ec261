# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""``vidgen export``: nothing leaves unreviewed; a clip says what made it; whatever is altered is named."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vidgen_nodes.cli import main
from vidgen_nodes.custody.frame_review import CAUSE, FrameReview, reviewed_frames, segment_of
from vidgen_nodes.custody.keys import FileKey, parse_public
from vidgen_nodes.custody.ledger import Ledger
from vidgen_nodes.custody.note import NOTE, VerifierKey
from vidgen_nodes.custody.reader import LedgerReader
from vidgen_nodes.delivery.content_label import read_label
from vidgen_nodes.delivery.label import LETTER_SHARE
from vidgen_nodes.delivery.manifest_store import find_store
from vidgen_nodes.errors import MissingPackageError
from vidgen_nodes.export.check import check_clip

FIRST, LAST = 26, 31  # leaves from 1.0 s to 1.2 s


def command(capsys: pytest.CaptureFixture[str], *words: str | Path) -> tuple[int, dict[str, Any]]:
    """Exit status and the last line of stdout."""
    capsys.readouterr()
    status = main([str(word) for word in (*words, "--json")])
    return status, json.loads(capsys.readouterr().out.splitlines()[-1])


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("keys")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VIDGEN_KEYS", str(folder))
        yield folder


@pytest.fixture(scope="module")
def run_dir(flight: Path, keys: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("export") / "run"
    assert main(["render", str(flight), "--preset", "sim", "--out", str(out), "--json"]) == 0
    return out


@pytest.fixture
def run(run_dir: Path, tmp_path: Path) -> Path:
    """A copy that may be added to."""
    shutil.copytree(run_dir, tmp_path / "run")
    return tmp_path / "run"


def judge(run: Path, verdict: str, first: int = 1, last: int = 35, key: FileKey | None = None) -> None:
    review = FrameReview(first, "kim", verdict, "", 12.5, last)
    ledger = run / "ledger.db"
    statement = b""
    if key is not None:
        with LedgerReader(ledger) as reader:
            statement = review.sign(reviewed_frames(reader, review), "kim", key, made_s=1234).encode()
    with Ledger.open(ledger, segment={"cause": CAUSE, **segment_of(review, statement)}):
        pass


def export(
    capsys: pytest.CaptureFixture[str], run: Path, bag: Path | None, *words: str | Path
) -> tuple[int, dict[str, Any]]:
    given: list[str | Path] = ["--bag", bag] if bag else []
    where = ("--from", "1.0", "--to", "1.2", "--out", run.parent / "clip.mp4")
    return command(capsys, "export", run, *where, *given, *words)


def write_reviewers(path: Path, public: bytes, may: str) -> None:
    key = VerifierKey("kim", NOTE, public)
    path.write_text(f"reviewers:\n  - {{name: Kim, may: {may}, keys: ['{key}']}}\n")


@pytest.fixture(scope="module")
def exported(run_dir: Path, flight: Path, keys: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clip")
    shutil.copytree(run_dir, folder / "run")
    reviewer = FileKey.generate()
    judge(folder / "run", "accept", key=reviewer)
    write_reviewers(folder / "reviewers.yaml", reviewer.public, "[frames]")
    words = [
        "export",
        folder / "run",
        "--from",
        "1.0",
        "--to",
        "1.2",
        "--out",
        folder / "clip.mp4",
        "--bag",
        flight,
    ]
    assert main([str(word) for word in words]) == 0
    return folder / "clip.mp4"


@pytest.fixture
def clip(exported: Path, tmp_path: Path) -> Path:
    """A copy of a clip with what lies beside it, to damage."""
    for path in exported.parent.glob("clip.*"):
        shutil.copy(path, tmp_path / path.name)
    return tmp_path / "clip.mp4"


def verify(capsys: pytest.CaptureFixture[str], clip: Path, keys: Path) -> tuple[int, dict[str, Any]]:
    return command(capsys, "export", "verify", clip, "--root", keys / "root.pub")


def test_nothing_leaves_without_a_review(run: Path, flight: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, result = export(capsys, run, flight)
    assert status == 2
    assert "6 of 6 frames are accepted by no review" in result["error"]
    judge(run, "accept", FIRST, LAST - 1)
    status, result = export(capsys, run, flight)
    assert status == 2
    assert f"the first is leaf {LAST}" in result["error"]
    assert not list(run.parent.glob("clip.*"))


def test_a_rejection_afterwards_holds_the_clip_back(
    run: Path, flight: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    judge(run, "accept")
    judge(run, "reject", 28, 28)
    judge(run, "note", 28, 28)
    status, result = export(capsys, run, flight)
    assert status == 2
    assert "leaf 28: kim rejected it" in result["error"]


def test_a_clip_alone_says_what_made_it(clip: Path, keys: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for path in clip.parent.glob("clip.[sp]*"):
        path.unlink()
    status, result = verify(capsys, clip, keys)
    assert (status, result["faults"]) == (0, [])
    assert result["pictures"] == result["tags_read"] == 6
    parts = [text.split(":")[0] for text in result["not_checked"]]
    assert parts == ["statement", "reviewers", "proof"]
    claims = result["claims"]
    assert claims["records"] == {"first_leaf": FIRST, "last_leaf": LAST}
    assert {sensor["topic"] for sensor in claims["sensors"]} >= {"/vidgen/fix", "/vidgen/thermal/image_raw"}
    assert claims["sop"][0]["name"] == "sim_wall_fire"
    assert {row["element"] for row in claims["physics"]} >= {"flame", "smoke"}
    assert claims["reviews"][0]["reviewer"] == "kim"
    assert claims["reviews"][0]["made_s"] == 1234
    assert [item["name"] for item in claims["recording"]] == ["flight.mcap", "metadata.yaml"]
    assert claims["synthetic"]["pixels_outside_gate"] == 0


def test_with_everything_beside_it_nothing_is_left_unchecked(
    exported: Path, clip: Path, keys: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    reviewers = exported.parent / "reviewers.yaml"
    where = ("--root", keys / "root.pub", "--reviewers", reviewers)
    status, result = command(capsys, "export", "verify", clip, *where)
    assert (status, result["faults"], result["not_checked"]) == (0, [], [])
    assert result["reviewers"] == ["review in leaf 36 by kim: signed with the key of Kim, who may review it"]
    assert result["unit"]
    assert result["log"].startswith("vidgen/")
    assert (clip.parent / "clip.proof").stat().st_size <= 2048


def test_a_reviewer_who_was_not_allowed_is_named(
    exported: Path, clip: Path, keys: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where = ("export", "verify", clip, "--root", keys / "root.pub", "--reviewers", tmp_path / "r.yaml")
    write_reviewers(tmp_path / "r.yaml", FileKey.generate().public, "[frames]")
    status, result = command(capsys, *where)
    assert status == 1
    assert any("by kim: the key kim+" in fault and "is nobody's" in fault for fault in result["faults"])
    listed = (exported.parent / "reviewers.yaml").read_text()
    (tmp_path / "r.yaml").write_text(listed.replace("[frames]", "[scenario]"))
    status, result = command(capsys, *where)
    assert status == 1
    assert any("by kim: Kim may not do that" in fault for fault in result["faults"])
    assert result["reviewers"] == []


def test_with_a_reviewers_file_an_unsigned_verdict_is_a_fault(
    run: Path, keys: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    judge(run, "accept")
    assert export(capsys, run, None)[0] == 0
    write_reviewers(tmp_path / "r.yaml", FileKey.generate().public, "[frames]")
    clip = run.parent / "clip.mp4"
    where = ("--root", keys / "root.pub", "--reviewers", tmp_path / "r.yaml")
    status, result = command(capsys, "export", "verify", clip, *where)
    assert status == 1
    assert any("is not signed, so nobody" in fault for fault in result["faults"])
    status, result = verify(capsys, clip, keys)
    assert status == 0
    assert any("is not signed" in text for text in result["not_checked"])


def test_the_proof_of_a_frame_leads_into_its_clip_and_no_other(
    exported: Path, clip: Path, keys: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = exported.parent / "run"
    for index, status in ((FIRST + 1, 0), (FIRST - 1, 1)):
        proof = tmp_path / f"{index}.proof"
        assert command(capsys, "proof", "make", run, str(index), "--out", proof)[0] == 0
        found, result = command(
            capsys, "export", "verify", clip, "--root", keys / "root.pub", "--proof", proof
        )
        assert found == status
        stranger = f"leaf {FIRST - 1}, which is not in this clip"
        assert [stranger in fault for fault in result["faults"]] == [True] * status


NAMED = {
    "clip.mp4": "clip",
    "clip.statement.json": "statement",
    "clip.privacy.json": "privacy",
    "clip.proof": "proof",
}


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
@pytest.mark.parametrize("part", list(NAMED))
def test_any_changed_bit_is_found_and_the_part_named(
    exported: Path, tmp_path_factory: pytest.TempPathFactory, keys: Path, part: str, data: st.DataObject
) -> None:
    """Anywhere in any of the files; the clip also where nothing lies beside it."""
    folder = tmp_path_factory.mktemp("altered")
    for path in exported.parent.glob("clip.*"):
        shutil.copy(path, folder / path.name)
    content = bytearray((folder / part).read_bytes())
    place = data.draw(st.integers(0, len(content) - 1))
    if part == "clip.mp4" and data.draw(st.booleans()):
        store = find_store(bytes(content))
        place = store.place(data.draw(st.integers(0, len(store.body) - 1)))
    content[place] ^= 1 << data.draw(st.integers(0, 7))
    (folder / part).write_bytes(content)
    root = parse_public(str(keys / "root.pub"))
    faults = check_clip(folder / "clip.mp4", root).faults
    assert any(NAMED[part] in fault for fault in faults), (place, faults)
    if part == "clip.mp4":
        for path in folder.glob("clip.[sp]*"):
            path.unlink()
        alone = check_clip(folder / "clip.mp4", root).faults
        assert any("content credentials" in fault or "clip:" in fault for fault in alone), (place, alone)
    shutil.rmtree(folder)


def test_another_root_key_vouches_for_nothing(clip: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stranger = FileKey.generate().public.hex()
    status, result = command(capsys, "export", "verify", clip, "--root", stranger)
    assert status == 1
    assert any("another root key" in fault for fault in result["faults"])
    assert any("unit certificate" in fault for fault in result["faults"])
    assert command(capsys, "export", "verify", clip)[0] == 2


def test_a_clip_that_was_encoded_again_lost_its_credentials_not_its_tags(
    clip: Path, keys: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    video = cv2.VideoCapture(str(clip))
    frames = [video.read()[1] for _ in range(6)]
    size = (frames[0].shape[1], frames[0].shape[0])
    writer = cv2.VideoWriter(str(clip), cv2.VideoWriter.fourcc(*"mp4v"), 25.0, size)
    for frame in frames:
        writer.write(frame)
    writer.release()
    status, result = verify(capsys, clip, keys)
    assert status == 1
    assert result["tags_read"] == 6
    assert any("content credentials" in fault for fault in result["faults"])
    assert any("altered or exchanged" in fault for fault in result["faults"])
    status, result = command(capsys, "tag", "read", clip)
    assert (status, [tag["leaf"] for tag in result["tags"]]) == (0, list(range(FIRST, LAST + 1)))


def test_every_picture_carries_the_mark_and_the_file_one_label(clip: Path) -> None:
    video = cv2.VideoCapture(str(clip))
    for _ in range(6):
        picture = video.read()[1]
        amber = picture[..., 2].astype(int) - picture[..., 0].astype(int) > 100
        rows = amber[480:].any(axis=1).nonzero()[0]
        assert rows[-1] - rows[0] + 1 >= LETTER_SHARE * min(picture.shape[:2])
    assert read_label(clip.read_bytes()).source_type.endswith("compositeSynthetic")


def test_every_background_has_a_privacy_record(clip: Path) -> None:
    records = json.loads((clip.parent / "clip.privacy.json").read_text())["frames"]
    assert [record["leaf"] for record in records] == list(range(FIRST, LAST + 1))
    assert all(
        record["method"] == "persons" and record["detector"] for record in records if not record["fallback"]
    )


def test_without_an_anonymiser_no_background_leaves_clear(
    run: Path, flight: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def absent() -> None:
        raise MissingPackageError("no detector")

    monkeypatch.setattr("vidgen_nodes.export.person_mosaic.load_detectors", absent)
    judge(run, "accept")
    status, result = export(capsys, run, flight)
    assert (status, result["whole_mosaics"]) == (0, 6)
    records = json.loads((run.parent / "clip.privacy.json").read_text())["frames"]
    assert all(record["method"] == "whole_mosaic" for record in records)
    assert all(record["fallback"] == "no anonymiser is installed" for record in records)


def test_another_recording_is_refused_and_nothing_stays(
    run: Path, flight: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from vidgen_nodes.params import SimParams
    from vidgen_nodes.sim.recording import write_recording

    judge(run, "accept")
    other = tmp_path / "other"
    write_recording(
        other, SimParams(thermal_rate_hz=25.0, lidar_points=12000, seed=SimParams().seed + 1), 1.4
    )
    status, result = export(capsys, run, other)
    assert status == 1
    assert result["error"].startswith(f"leaf {FIRST}:")
    assert not list(tmp_path.glob("clip*"))


def test_without_the_recording_saved_overlays_stand_on_black(
    run: Path, keys: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    judge(run, "accept")
    assert export(capsys, run, None)[0] == 0
    status, result = verify(capsys, run.parent / "clip.mp4", keys)
    assert (status, result["claims"]["background"]) == (0, "none")
    assert read_label((run.parent / "clip.mp4").read_bytes()).source_type.endswith("algorithmicMedia")


def test_a_saved_overlay_of_another_frame_is_refused(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    judge(run, "accept")
    saved = sorted((run / "frames").iterdir())
    shutil.copy(saved[3], saved[FIRST - 1])
    status, result = export(capsys, run, None)
    assert status == 1
    assert "does not carry the label and the tag of that leaf" in result["error"]


def test_a_clip_is_never_written_over_another(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    judge(run, "accept")
    (run.parent / "clip.mp4").write_bytes(b"evidence")
    status, result = export(capsys, run, None)
    assert status == 2
    assert "a new file" in result["error"]
    assert (run.parent / "clip.mp4").read_bytes() == b"evidence"


def test_the_ledger_still_verifies_after_an_export(
    exported: Path, keys: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, result = command(capsys, "verify", exported.parent / "run", "--key", keys / "root.pub")
    assert (status, result["faults"]) == (0, [])
    assert result["signed"] == result["records"]


def test_where_the_policy_wants_signatures_unsigned_verdicts_do_not_count(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "strict.yaml"
    config.write_text("/**/generator_node:\n  ros__parameters:\n    require_signed_reviews: true\n")
    judge(run, "accept")
    assert export(capsys, run, None, "--config", config)[0] == 2
    judge(run, "accept", key=FileKey.generate())
    status, result = export(capsys, run, None, "--config", config)
    assert (status, result.get("error")) == (0, None)
