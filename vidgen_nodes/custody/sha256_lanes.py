# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""SHA-256 of many short messages at once (FIPS 180-4), in compiled loops whose lanes a processor runs side by side.

Guarantees: the bytes of ``hashlib.sha256`` of each message. Ten times as fast as calling it for each: a map of 6,400
cells needs 12,800 hashes in one frame's time. Leaves out messages of more than one block (55 bytes).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from vidgen_nodes.compiled import compiled
from vidgen_nodes.packets import ByteArray

MOST_BYTES = 55
_BLOCK_BYTES = 64
_LANES = 64  # messages side by side: four AVX-512 registers, eight of AVX2
_Words = npt.NDArray[np.uint32]
# Shifts in the type of the words, so that the compiler keeps to 32 bits.
_2, _3, _6, _7, _10, _11, _13, _14, _15, _17, _18, _19, _21, _22, _25, _26, _30 = map(
    np.uint32, (2, 3, 6, 7, 10, 11, 13, 14, 15, 17, 18, 19, 21, 22, 25, 26, 30)
)


def _roots(numbers: list[int], power: int) -> list[int]:
    """First 32 bits of the fractional parts of the square (2) or cube (3) roots, by whole-number arithmetic."""
    found = []
    for number in numbers:
        target, low, high = number << (32 * power), 0, 1 << 40
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if middle**power <= target else (low, middle)
        found.append(low & 0xFFFFFFFF)
    return found


_PRIMES = [n for n in range(2, 312) if all(n % k for k in range(2, n))]
_ROUNDS = np.array(_roots(_PRIMES, 3), np.uint32)  # FIPS 180-4, 4.2.2: of the first 64 primes
_START = np.array(_roots(_PRIMES[:8], 2), np.uint32)  # 5.3.3: of the first 8


def sha256_many(messages: ByteArray) -> ByteArray:
    """SHA-256 of each row.

    Args:
        messages: (n, length) with a length of at most 55.

    Returns:
        (n, 32).
    """
    count, length = messages.shape
    if length > MOST_BYTES:
        raise ValueError(f"got messages of {length} bytes, expected at most {MOST_BYTES}")
    blocks = np.zeros((-(-count // _LANES) * _LANES, _BLOCK_BYTES), np.uint8)
    blocks[:count, :length] = messages
    blocks[:, length] = 0x80
    blocks[:, -2:] = divmod(8 * length, 256)
    digests = np.empty((len(blocks), 8), np.uint32)
    _hash_blocks(blocks.view(">u4").astype(np.uint32), digests, _ROUNDS, _START)
    return digests.astype(">u4").view(np.uint8)[:count]


@compiled
def _heat(e: np.uint32, f: np.uint32, g: np.uint32, added: np.uint32) -> Any:
    """FIPS 180-4, 6.2.2 step 3: what a round adds of e, f and g; ``added``: h, constant and word."""
    turned = ((e >> _6) | (e << _26)) ^ ((e >> _11) | (e << _21)) ^ ((e >> _25) | (e << _7))
    return np.uint32(turned + (g ^ (e & (f ^ g))) + added)


@compiled
def _head(a: np.uint32, b: np.uint32, c: np.uint32) -> Any:
    """Step 3: T2 of a, b and c."""
    turned = ((a >> _2) | (a << _30)) ^ ((a >> _13) | (a << _19)) ^ ((a >> _22) | (a << _10))
    return np.uint32(turned + ((a & b) | (c & (a | b))))


@compiled
def _schedule(words: _Words, first: int, w: _Words) -> None:
    """Step 1: the 64 words of each of 64 blocks."""
    for j in range(64):
        for t in range(16):
            w[t, j] = words[first + j, t]
    for t in range(16, 64):
        for j in range(64):
            x, y = w[t - 15, j], w[t - 2, j]
            a = ((x >> _7) | (x << _25)) ^ ((x >> _18) | (x << _14)) ^ (x >> _3)
            b = ((y >> _17) | (y << _15)) ^ ((y >> _19) | (y << _13)) ^ (y >> _10)
            w[t, j] = w[t - 16, j] + a + w[t - 7, j] + b


@compiled
def _eight_rounds(w: _Words, s: _Words, k: _Words, t: int) -> None:
    """Step 3, eight times: then the state is in its old places, and was in registers meanwhile.

    Constants are read before the loop: written arrays might hold them, as far as the compiler knows.
    """
    k0, k1, k2, k3, k4, k5, k6, k7 = (
        k[t],
        k[t + 1],
        k[t + 2],
        k[t + 3],
        k[t + 4],
        k[t + 5],
        k[t + 6],
        k[t + 7],
    )
    for j in range(64):
        a, b, c, d, e, f, g, h = s[0, j], s[1, j], s[2, j], s[3, j], s[4, j], s[5, j], s[6, j], s[7, j]
        x = _heat(e, f, g, np.uint32(h + k0 + w[t, j]))
        d, h = np.uint32(d + x), np.uint32(x + _head(a, b, c))
        x = _heat(d, e, f, np.uint32(g + k1 + w[t + 1, j]))
        c, g = np.uint32(c + x), np.uint32(x + _head(h, a, b))
        x = _heat(c, d, e, np.uint32(f + k2 + w[t + 2, j]))
        b, f = np.uint32(b + x), np.uint32(x + _head(g, h, a))
        x = _heat(b, c, d, np.uint32(e + k3 + w[t + 3, j]))
        a, e = np.uint32(a + x), np.uint32(x + _head(f, g, h))
        x = _heat(a, b, c, np.uint32(d + k4 + w[t + 4, j]))
        h, d = np.uint32(h + x), np.uint32(x + _head(e, f, g))
        x = _heat(h, a, b, np.uint32(c + k5 + w[t + 5, j]))
        g, c = np.uint32(g + x), np.uint32(x + _head(d, e, f))
        x = _heat(g, h, a, np.uint32(b + k6 + w[t + 6, j]))
        f, b = np.uint32(f + x), np.uint32(x + _head(c, d, e))
        x = _heat(f, g, h, np.uint32(a + k7 + w[t + 7, j]))
        e, a = np.uint32(e + x), np.uint32(x + _head(b, c, d))
        s[0, j], s[1, j], s[2, j], s[3, j], s[4, j], s[5, j], s[6, j], s[7, j] = a, b, c, d, e, f, g, h


@compiled
def _hash_blocks(words: _Words, digests: _Words, rounds: _Words, start: _Words) -> None:
    """One block a row, 64 rows at a time."""
    w = np.empty((64, 64), np.uint32)
    s = np.empty((8, 64), np.uint32)
    for first in range(0, len(words), 64):
        _schedule(words, first, w)
        for k in range(8):
            for j in range(64):
                s[k, j] = start[k]
        for t in range(0, 64, 8):
            _eight_rounds(w, s, rounds, t)
        for j in range(64):
            for k in range(8):
                digests[first + j, k] = s[k, j] + start[k]
