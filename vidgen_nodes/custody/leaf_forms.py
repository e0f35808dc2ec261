# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Recognises leaves that differ from a checked one in nothing but values, many at a time.

The leaves of a log have few forms: the same fields, with integers and floats of the same widths. A form is taken from
a leaf that was decoded and found sound; bytes of another leaf that fit it decode to the same fields of the same types
and are in canonical form. Guarantees: what fits would have passed ``leaf_fault`` and ``is_canonical``; what
does not fit may be sound all the same. Leaves out what a leaf says: hashes and numbers are not judged.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vidgen_nodes.custody.leaf import HASH_BYTES
from vidgen_nodes.packets import BoolArray, ByteArray

_KEPT = 8  # forms of each length
_LEAST = {1: 24, 2: 1 << 8, 4: 1 << 16, 8: 1 << 32}  # integers that need an argument of so many bytes
_UNSIGNED, _NEGATIVE, _BYTES, _TEXT, _LIST, _MAP, _SIMPLE = 0, 1, 2, 3, 4, 5, 7
_Span = tuple[str, int, int, int]  # field, major type, first byte of the head, bytes of the argument


@dataclass(frozen=True, eq=False)
class LeafForm:
    """What leaves of one form have in common."""

    like: ByteArray  # (length,) the leaf it was taken from
    fixed: ByteArray  # (length,) 255 where a leaf must have the same byte
    spans: tuple[_Span, ...]  # of integers and floats
    hashes: dict[str, int]  # first byte of each hash, by field

    def fit(self, leaves: ByteArray) -> BoolArray:
        """Which of the leaves (n, length) are of this form."""
        fits: BoolArray = np.logical_not(((leaves ^ self.like) & self.fixed).any(axis=1))
        for _, major, at, size in self.spans:
            if size == 0:
                fits &= (leaves[:, at] >> 5 == major) & (leaves[:, at] & 31 < _LEAST[1])
                continue
            argument = np.ascontiguousarray(leaves[:, at + 1 : at + 1 + size])
            if major == _SIMPLE:
                fits &= _is_shortest(argument, size)
            else:
                fits &= argument.view(f">u{size}").ravel() >= _LEAST[size]
        return fits

    def integer(self, name: str, leaf: bytes) -> int:
        """The unsigned integer of a top field in a leaf of this form."""
        for field, major, at, size in self.spans:
            if field == name and major == _UNSIGNED:
                return int.from_bytes(leaf[at + 1 : at + 1 + size], "big") if size else leaf[at]
        raise KeyError(name)


class LeafForms:
    """The forms seen lately."""

    def __init__(self) -> None:
        self._forms: dict[int, list[LeafForm]] = {}  # by length, the newest first

    def learn(self, leaf: bytes) -> None:
        """Take the form of a leaf that was found sound."""
        forms = self._forms.setdefault(len(leaf), [])
        forms.insert(0, _form_of(leaf))
        del forms[_KEPT:]

    def recognise(self, leaves: Sequence[bytes]) -> list[LeafForm | None]:
        """The form of each leaf; None: of no form known here."""
        found: list[LeafForm | None] = [None] * len(leaves)
        by_length: dict[int, list[int]] = {}
        for number, leaf in enumerate(leaves):
            by_length.setdefault(len(leaf), []).append(number)
        for length, numbers in by_length.items():
            forms = self._forms.get(length, [])
            rest = np.array(numbers)
            for form in forms:
                if not len(rest):
                    break
                joined = b"".join([leaves[number] for number in rest.tolist()])
                fits = form.fit(np.frombuffer(joined, np.uint8).reshape(len(rest), length))
                for number in rest[fits].tolist():
                    found[number] = form
                rest = rest[~fits]
        return found


def _is_shortest(argument: ByteArray, size: int) -> BoolArray:
    """Floats (n, size) that are finite, no minus zero, and would not fit a shorter float."""
    values = argument.view(f">f{size}").ravel().astype(f"f{size}")
    made: BoolArray = np.isfinite(values)
    with np.errstate(over="ignore"):
        if size == 2:
            made &= ~((values == 0) & np.signbit(values))
        else:
            made &= values.astype(f"f{size // 2}").astype(f"f{size}") != values
    return made


def _form_of(leaf: bytes) -> LeafForm:
    like = np.frombuffer(leaf, np.uint8)
    fixed: npt.NDArray[np.uint8] = np.full(len(leaf), 255, np.uint8)
    spans: list[_Span] = []
    hashes: dict[str, int] = {}
    for name, major, at, size, count in _values(leaf):
        if major == _BYTES and count == HASH_BYTES and "." not in name:
            hashes[name] = at + 1 + size
            fixed[at + 1 + size : at + 1 + size + count] = 0
        elif name != "v" and (major in (_UNSIGNED, _NEGATIVE) or (major == _SIMPLE and size > 1)):
            spans.append((name, major, at, size))
            fixed[at + 1 if size else at : at + 1 + size] = 0
    return LeafForm(like, fixed, tuple(spans), hashes)


def _values(leaf: bytes) -> Iterator[tuple[str, int, int, int, int]]:
    """Each value of a sound leaf: field, major type, first byte of its head, bytes and value of its argument."""
    stack: list[tuple[str, bool, int]] = []  # field, is a map, items to come (keys and values)
    at, key, name = 0, "", ""
    while at < len(leaf):
        major, low = leaf[at] >> 5, leaf[at] & 31
        size = 0 if low < _LEAST[1] else 1 << (low - 24)
        argument = int.from_bytes(leaf[at + 1 : at + 1 + size], "big") if size else low
        end = at + 1 + size + (argument if major in (_BYTES, _TEXT) else 0)
        if stack:
            field, is_map, left = stack[-1]
            stack[-1] = (field, is_map, left - 1)
            if is_map and left % 2 == 0:
                key = leaf[at + 1 + size : end].decode()
                at = end
                continue
            name = f"{field}.{key}" if field else key
        yield name, major, at, size, argument
        at = end
        if major in (_LIST, _MAP):
            stack.append((name, major == _MAP, argument * (2 if major == _MAP else 1)))
        while stack and stack[-1][2] == 0:
            stack.pop()
