# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What a form lets pass would have passed the check of each leaf, too."""

from __future__ import annotations

import math
import struct

import cbor2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidgen_nodes.custody.digest import canonical, is_canonical
from vidgen_nodes.custody.leaf import leaf_fault
from vidgen_nodes.custody.leaf_forms import LeafForms, _is_shortest
from vidgen_nodes.custody.reader import LedgerReader

_INTEGERS = st.one_of(st.integers(0, 30), st.integers(0, 1 << 17), st.integers(0, (1 << 64) - 1))


@pytest.fixture(scope="module")
def leaves(written):
    with LedgerReader(written) as reader:
        return [row.leaf for row in reader.rows() if row.kind == "frame"]


def sound(leaf: bytes) -> bool:
    try:
        value = cbor2.loads(leaf)
    except Exception:  # noqa: BLE001  # altered bytes can make the decoder raise anything
        return False
    return not leaf_fault(value) and is_canonical(value, leaf)


def test_frames_of_a_log_are_recognised_with_their_numbers_and_hashes(leaves):
    forms = LeafForms()
    for leaf in leaves:
        forms.learn(leaf)
    found = forms.recognise(leaves)
    for leaf, form in zip(leaves, found, strict=True):
        said = cbor2.loads(leaf)
        assert form.integer("seq", leaf) == said["seq"]
        assert {name: leaf[at : at + 32] for name, at in form.hashes.items()} == {
            name: value for name, value in said.items() if isinstance(value, bytes)
        }


@given(st.data())
def test_a_leaf_with_other_numbers_that_fits_is_sound(leaves, data):
    """Each value of the first leaf drawn anew; some do not fit, none that fits is wrong."""
    forms = LeafForms()
    forms.learn(leaves[0])
    said = cbor2.loads(leaves[0])
    said["seq"], said["tick"] = data.draw(_INTEGERS), data.draw(_INTEGERS)
    said["sigma_px"] = data.draw(st.floats(allow_nan=False, allow_infinity=False))
    said["gate"]["pixels_drawn"] = data.draw(st.integers(-(1 << 63), (1 << 64) - 1))
    said["frame"] = data.draw(st.binary(min_size=32, max_size=32))
    leaf = canonical(said)
    assert sound(leaf)
    (form,) = forms.recognise([leaf])
    if form is not None:
        assert form.integer("seq", leaf) == said["seq"]


@given(st.data())
def test_altered_bytes_that_fit_a_form_are_sound(leaves, data):
    forms = LeafForms()
    for leaf in leaves:
        forms.learn(leaf)
    altered = bytearray(data.draw(st.sampled_from(leaves)))
    for at in data.draw(st.lists(st.integers(0, len(altered) - 1), min_size=1, max_size=4)):
        altered[at] = data.draw(st.integers(0, 255))
    (form,) = forms.recognise([bytes(altered)])
    assert form is None or sound(bytes(altered))


def test_every_single_byte_of_a_leaf_in_every_value_that_fits_is_sound(leaves):
    forms = LeafForms()
    forms.learn(leaves[1])
    leaf = leaves[1]
    tried = [leaf[:at] + bytes([value]) + leaf[at + 1 :] for at in range(len(leaf)) for value in range(256)]
    passed = [one for one, form in zip(tried, forms.recognise(tried), strict=True) if form is not None]
    assert len(passed) > 256 * 32 * 4, "hashes may hold anything"
    assert all(sound(one) for one in passed)


@pytest.mark.parametrize(("size", "head"), [(2, 0xF9), (4, 0xFA), (8, 0xFB)])
def test_floats_pass_exactly_where_the_canonical_form_has_that_width(size, head):
    generator = np.random.default_rng(5)
    if size == 2:
        bits = np.arange(1 << 16, dtype=">u2").view(np.uint8).reshape(-1, 2)
    else:
        bits = generator.integers(0, 256, (20_000, size), dtype=np.uint8)
        bits[:4000, size // 2 :] = 0  # short ones
        edges = [
            0.0,
            -0.0,
            math.inf,
            -math.inf,
            math.nan,
            1.5,
            65504.0,
            65520.0,
            2.0**-24,
            2.0**-25,
            1e300,
            5e-324,
        ]
        with np.errstate(over="ignore"):
            bits[-len(edges) :] = np.array(edges).astype(f">f{size}").view(np.uint8).reshape(-1, size)
    passed = _is_shortest(bits, size)
    for row, fits in zip(bits, passed, strict=True):
        encoded = bytes([head]) + row.tobytes()
        (value,) = struct.unpack({2: ">e", 4: ">f", 8: ">d"}[size], row.tobytes())
        if fits:
            assert is_canonical(value, encoded), encoded.hex()
        elif is_canonical(value, encoded):
            raise AssertionError(f"{encoded.hex()} was refused")


def test_forms_that_were_not_seen_for_long_are_forgotten(leaves):
    forms, made = LeafForms(), []
    for number in range(12):
        said = cbor2.loads(leaves[0]) | {"mission": f"{number:02}"}
        made.append(canonical(said))
        forms.learn(made[-1])
    found = forms.recognise(made)
    assert [form is not None for form in found] == [False] * 4 + [True] * 8


def test_what_fits_no_form_is_left_to_the_check_of_each_leaf(leaves):
    forms = LeafForms()
    assert forms.recognise(leaves) == [None] * len(leaves)
    assert forms.recognise([]) == []
