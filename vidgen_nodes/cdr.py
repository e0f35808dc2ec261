# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Readers and writers of CDR messages, written out as one flat Python function a type.

rosbags' own walk from function to function with every nested field and take numbers one by one. Here all that is
fixed between two strings is one ``struct`` call, and a large message is copied once instead of three times: a
navigation state is read in a third of the time, a bundle is written in a third.

Guarantees: the objects are those that rosbags makes of the same bytes, and the bytes are those that it writes
(a test compares them, for every type of ours); arrays are views into what was read, but for numbers of eight
bytes. Leaves out, for rosbags to do: big-endian messages and machines, and types with fixed arrays of anything
but numbers.
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Callable
from typing import Any, Final

import numpy as np
from rosbags.interfaces import Nodetype

Reader = Callable[[Any], Any]  # bytes or a view of them, to the message
Writer = Callable[[Any], bytes]

LITTLE_ENDIAN: Final = b"\x00\x01"
_PADDING_BYTES: Final = 3  # RTPS fills small messages up to a multiple of four
_HEADER: Final = 4  # bytes before the first field; alignment counts from behind them
_CODES: Final = {
    "bool": ("?", 1),
    "int8": ("b", 1),
    "uint8": ("B", 1),
    "int16": ("h", 2),
    "uint16": ("H", 2),
    "int32": ("i", 4),
    "uint32": ("I", 4),
    "int64": ("q", 8),
    "uint64": ("Q", 8),
    "float32": ("f", 4),
    "float64": ("d", 8),
}
# Behind the four bytes of the header numbers of eight lie askew in memory, which compiled loops take for another
# type of array (and compile anew): those are copied.
_ALIGNED: Final = {1: "", 2: "", 4: "", 8: ".copy()"}


class NotWrittenOutError(Exception):
    """A type that is left to rosbags."""


def reader(store: Any, type_name: str) -> Reader:
    """What makes a message of its CDR bytes: the flat one where there is one and it fits, else rosbags'.

    It raises whatever they run into on bytes that hold no such message.
    """
    try:
        flat = flat_reader(store, type_name)
    except NotWrittenOutError:
        flat = None

    def read(raw: Any) -> Any:
        if flat is None or raw[:2] != LITTLE_ENDIAN:
            return store.deserialize_cdr(raw, type_name)
        return flat(raw)

    return read


def writer(store: Any, type_name: str) -> Writer:
    """What makes CDR bytes of a message: the flat one, or rosbags' where there is none."""
    try:
        return flat_writer(store, type_name)
    except NotWrittenOutError:
        return lambda message: bytes(store.serialize_cdr(message, type_name))


def flat_reader(store: Any, type_name: str) -> Reader:
    """What makes a message of its little-endian CDR bytes.

    It raises whatever ``struct``, numpy and Python raise on bytes that hold no such message.

    Raises:
        NotWrittenOutError: see the module.
    """
    source = _Reading(store)
    made = source.fields(type_name)
    source.flush()
    source.say(
        f"if pos + {_PADDING_BYTES} < len(raw): raise ValueError(f'{{len(raw) - pos}} bytes too many')"
    )
    source.say(f"return {made}")
    return source.compile("read(raw)", f"pos = {_HEADER}")  # type: ignore[no-any-return]


def flat_writer(store: Any, type_name: str) -> Writer:
    """What makes CDR bytes of a message; arrays are numpy's, of the field's own type.

    It raises ``struct.error`` or ``ValueError`` for values that the type cannot hold.

    Raises:
        NotWrittenOutError: see the module.
    """
    source = _Writing(store)
    source.fields(type_name, "message")
    source.flush()
    source.say("return b''.join(parts)")
    start = (f"parts = [{LITTLE_ENDIAN + bytes(2)!r}]", "put = parts.append", "pos = 0")
    return source.compile("write(message)", *start)  # type: ignore[no-any-return]


class _Source:
    """Lines of a function, and the fields that lie fixed to each other since the last one that does not."""

    def __init__(self, store: Any) -> None:
        if sys.byteorder != "little":
            raise NotWrittenOutError("this machine is big-endian")
        self._store = store
        self._lines: list[str] = []
        self._indent = 1
        self._names = 0
        self._known: dict[str, Any] = {
            "np": np,
            "frombuffer": np.frombuffer,
            "zeros": [bytes(n) for n in range(8)],
        }
        # The place of the next byte is known to be `_off` modulo `_modulus`.
        self._modulus, self._off = 8, 0
        self._start_run()

    def compile(self, signature: str, *start: str) -> Any:
        """The function."""
        lines = [f"def {signature}:", *(f" {line}" for line in start), *self._lines]
        exec("\n".join(lines), self._known)  # noqa: S102 (of type definitions of ours, never of input)
        return self._known[signature.partition("(")[0]]

    def say(self, line: str) -> None:
        self._lines.append(" " * self._indent + line)

    def name(self, value: Any = None) -> str:
        """A new name; of a constant when a value is given."""
        self._names += 1
        name = f"v{self._names}"
        if value is not None:
            self._known[name] = value
        return name

    def entries(self, type_name: str) -> Any:
        return self._store.fielddefs[type_name][1]

    def _start_run(self) -> None:
        self._format, self._run_bytes = "<", 0
        self._run_start = self._off

    def place(self, code: str, align: int, size: int) -> int:
        """Put a field of so many bytes at the end of the run; returns where in the run it lies."""
        if align > self._modulus:  # where it lies is not known: a new run, aligned when the program runs
            self.flush()
            self._emit_align(align)
            self._modulus, self._off = align, 0
            self._start_run()
        pad = -(self._run_start + self._run_bytes) % align
        self._format += "x" * pad + code
        self._run_bytes += pad + size
        return self._run_bytes - size

    def flush(self) -> None:
        """Emit the run."""
        if self._run_bytes:
            self._emit_run(struct.Struct(self._format))
            self._off = (self._run_start + self._run_bytes) % self._modulus
        self._start_run()

    def lose_place(self) -> None:
        """After what has no fixed size."""
        self._modulus, self._off = 1, 0
        self._start_run()

    def _emit_align(self, align: int) -> None:
        raise NotImplementedError

    def _emit_run(self, layout: struct.Struct) -> None:
        raise NotImplementedError


class _Reading(_Source):
    def _start_run(self) -> None:
        super()._start_run()
        self._targets: list[str] = []
        self._arrays: list[str] = []

    def _emit_align(self, align: int) -> None:
        self.say(f"pos = ((pos + {align - 1 - _HEADER}) & -{align}) + {_HEADER}")

    def _emit_run(self, layout: struct.Struct) -> None:
        if self._targets:
            self.say(f"{', '.join(self._targets)}, = {self.name(layout.unpack_from)}(raw, pos)")
        for line in self._arrays:
            self.say(line)
        self.say(f"pos += {layout.size}")

    def fields(self, type_name: str) -> str:
        """The expression that makes the message, once the lines said so far have run."""
        values = [self._field(desc) for _, desc in self.entries(type_name)]
        return f"{self.name(self._store.types[type_name])}({', '.join(values)})"

    def _field(self, desc: Any) -> str:
        kind, what = desc
        if kind == Nodetype.NAME:
            return self.fields(what)
        if kind == Nodetype.BASE:
            return self._string() if what[0] == "string" else self._number(what[0])
        (item_kind, item), count = what
        if kind == Nodetype.ARRAY:
            if item_kind != Nodetype.BASE or item[0] not in _CODES:
                raise NotWrittenOutError(f"array of {item}")
            return self._fixed_array(item[0], count)
        return self._sequence(item_kind, item)

    def _number(self, base: str) -> str:
        if base not in _CODES:
            raise NotWrittenOutError(base)
        code, size = _CODES[base]
        self.place(code, size, size)
        self._targets.append(self.name())
        return self._targets[-1]

    def _fixed_array(self, base: str, count: int) -> str:
        _, size = _CODES[base]
        at = self.place(f"{count * size}x", size, count * size)
        made = self.name()
        view = f"frombuffer(raw, {self.name(np.dtype(base))}, {count}, pos + {at})"
        self._arrays.append(f"{made} = {view}{_ALIGNED[size]}")
        return made

    def _string(self) -> str:
        length, made = self._number("uint32"), self.name()
        self.flush()
        self.say(f"{made} = pos + {length} - 1")
        self.say(f"if {length} == 0 or raw[{made}]: raise ValueError('a string without its end')")
        self.say(f"{made}, pos = str(raw[pos:{made}], 'utf-8'), {made} + 1")
        self.lose_place()
        return made

    def _sequence(self, item_kind: Any, item: Any) -> str:
        count, made = self._number("uint32"), self.name()
        self.flush()
        if item_kind == Nodetype.BASE and item[0] in _CODES:
            _, size = _CODES[item[0]]
            if size > 4:  # behind the count lies a multiple of four
                self.say(f"if {count}:")
                self._indent += 1
                self._emit_align(size)
                self._indent -= 1
            view = f"frombuffer(raw, {self.name(np.dtype(item[0]))}, {count}, pos){_ALIGNED[size]}"
            self.say(f"{made} = {view} if {count} else {self.name(_empty(item[0]))}")
            self.say(f"pos += {count} * {size}")
            self.lose_place()
            return made
        self.say(f"{made} = []")
        self.say(f"for _ in range({count}):")
        self._indent += 1
        self.lose_place()
        value = self._field((item_kind, item))
        self.flush()
        self.say(f"{made}.append({value})")
        self._indent -= 1
        self.lose_place()
        return made


class _Writing(_Source):
    def _start_run(self) -> None:
        super()._start_run()
        self._values: list[str] = []

    def _emit_align(self, align: int) -> None:
        self.say(f"put(zeros[-pos & {align - 1}]); pos += -pos & {align - 1}")

    def _emit_run(self, layout: struct.Struct) -> None:
        self.say(f"put({self.name(layout.pack)}({', '.join(self._values)})); pos += {layout.size}")

    def fields(self, type_name: str, message: str) -> None:
        """Write the fields of a message that has this name."""
        cls = self._store.types[type_name]
        for (_, desc), name in zip(self.entries(type_name), cls.__dataclass_fields__, strict=False):
            self._field(desc, f"{message}.{name}")

    def _field(self, desc: Any, value: str) -> None:
        kind, what = desc
        if kind == Nodetype.NAME:
            made = self.name()
            self.say(f"{made} = {value}")
            self.fields(what, made)
        elif kind == Nodetype.BASE:
            self._string(value) if what[0] == "string" else self._number(what[0], value)
        else:
            (item_kind, item), count = what
            numbers = item_kind == Nodetype.BASE and item[0] in _CODES
            if kind == Nodetype.SEQUENCE:
                self._numbers(item[0], value) if numbers else self._sequence((item_kind, item), value)
            elif numbers:
                self._fixed_array(item[0], count, value)
            else:
                raise NotWrittenOutError(f"array of {item}")

    def _number(self, base: str, value: str) -> None:
        if base not in _CODES:
            raise NotWrittenOutError(base)
        code, size = _CODES[base]
        self.place(code, size, size)
        self._values.append(value)

    def _fixed_array(self, base: str, count: int, value: str) -> None:
        _, size = _CODES[base]
        made = self.name()
        self.say(f"{made} = {value}.tobytes()")
        self.say(
            f"if len({made}) != {count * size}: raise ValueError(f'expected {count} {base}, got {{{value}!r}}')"
        )
        self.place(f"{count * size}s", size, count * size)
        self._values.append(made)

    def _string(self, value: str) -> None:
        made = self.name()
        self.say(f"{made} = {value}.encode() + b'\\0'")
        self._number("uint32", f"len({made})")
        self.flush()
        self.say(f"put({made}); pos += len({made})")
        self.lose_place()

    def _numbers(self, base: str, value: str) -> None:
        _, size = _CODES[base]
        made = self.name()
        self.say(f"{made} = np.ascontiguousarray({value})")
        self.say(f"if {made}.itemsize != {size}: raise ValueError(f'expected {base}, got {{{made}.dtype}}')")
        self._number("uint32", f"{made}.size")
        self.flush()
        self.say(f"if {made}.size:")
        self._indent += 1
        if size > 4:
            self._emit_align(size)
        self.say(f"put({made}); pos += {made}.nbytes")
        self._indent -= 1
        self.lose_place()

    def _sequence(self, item: Any, value: str) -> None:
        made, each = self.name(), self.name()
        self.say(f"{made} = {value}")
        self._number("uint32", f"len({made})")
        self.flush()
        self.say(f"for {each} in {made}:")
        self._indent += 1
        self.lose_place()
        self._field(item, each)
        self.flush()
        self._indent -= 1
        self.lose_place()


def _empty(base: str) -> Any:
    empty = np.zeros(0, np.dtype(base))
    empty.flags.writeable = False
    return empty
