# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Watches a live graph from outside and keeps what a summary needs.

Guarantees: it reads only light topics (provenance, sync/report, /diagnostics), so it does not slow what it
measures; it runs on a thread of its own and every reading is safe from other threads. ``take_images`` reads
one composite and one overlay, on request. Leaves out judging: ``summary.py`` says what is good.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.context import Context
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions
from rclpy.task import Future
from sensor_msgs.msg import Image
from vidgen.msg import Provenance, SyncReport

from vidgen_nodes.graph import NAMESPACE
from vidgen_nodes.packets import LeakCause
from vidgen_nodes.ros import qos, wire
from vidgen_nodes.ros.convert import image_pixels
from vidgen_nodes.ros.transport import make_executor
from vidgen_nodes.summary import percentiles

_SPIN_S = 0.05
_QUIET_S = 0.2
_MOST_UNQUIET_S = 2.0
_LEAK_CAUSES = frozenset(cause.value for cause in LeakCause)
_MOST_FRAMES = 400_000  # over two hours at 50 Hz, 0.3 kB each; older ones leave the percentiles


@dataclass(frozen=True, slots=True)
class FrameSeen:
    """What the provenance of one overlay says, and when it came here."""

    stamp_ns: int
    published_ns: int
    arrived_s: float  # monotonic
    cells_open: int
    pixels_drawn: int
    pixels_outside: int
    sigma_px: float
    causes: tuple[str, ...]
    leaf_index: int
    leaks_closed: frozenset[str] = frozenset()  # why leaks of steam were kept shut


@dataclass(frozen=True, slots=True)
class NodeHealth:
    """The newest diagnostics of one node."""

    level: int  # 0 ok, 1 warning, 2 error, 3 stale
    message: str
    values: Mapping[str, str]
    received_s: float


@dataclass(frozen=True, slots=True)
class SyncSeen:
    """The newest report of the synchroniser."""

    thermal_in: int = 0
    bundles_out: int = 0
    matched: int = 0
    drops: Mapping[str, int] = field(default_factory=dict)
    causes: Mapping[str, int] = field(default_factory=dict)
    late: Mapping[str, int] = field(default_factory=dict)
    skew_ms: Mapping[str, float] = field(default_factory=lambda: percentiles((), (50, 99)))
    sigma_px: Mapping[str, float] = field(default_factory=lambda: percentiles((), (50, 99)))


@dataclass(frozen=True, slots=True)
class SourceCount:
    """How many thermal frames the simulated flight had published, and the stamp of the last of them."""

    published: int
    last_stamp_ns: int
    received_s: float


@contextmanager
def observing() -> Iterator[Probe]:
    """A probe in a ROS context of its own, which leaves the process's signal handlers alone."""
    context = Context()
    rclpy.init(context=context, signal_handler_options=SignalHandlerOptions.NO)
    try:
        probe = Probe(context)
        try:
            yield probe
        finally:
            probe.close()
    finally:
        context.try_shutdown()


class Probe:
    """Subscribes and remembers; call :meth:`close` at the end."""

    def __init__(self, context: Any) -> None:
        self._lock = threading.Lock()
        self._frames: deque[FrameSeen] = deque(maxlen=_MOST_FRAMES)
        self._leaks: dict[frozenset[str], frozenset[str]] = {}  # each once, however many frames say the same
        self._nodes: dict[str, NodeHealth] = {}
        self._sync = SyncSeen()
        self._source_counts: list[SourceCount] = []
        self.overlays = 0
        self.node = Node("probe", namespace=NAMESPACE, context=context, enable_rosout=False)
        self.node.create_subscription(Provenance, "provenance", self._on_provenance, qos.PROVENANCE, raw=True)
        self.node.create_subscription(SyncReport, "sync/report", self._on_report, qos.SYNC_REPORT)
        self.node.create_subscription(DiagnosticArray, "/diagnostics", self._on_diagnostics, 100)
        self._executor = make_executor(context)
        self._executor.add_node(self.node)
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._spin, name="probe", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop listening."""
        self._closing.set()
        self._thread.join()
        self._executor.shutdown()
        self._wait_for_quiet()
        self.node.destroy_node()

    def _wait_for_quiet(self) -> None:
        """Until nobody has come or gone for a while: see ``transport.end_within`` for what may happen otherwise."""
        seen, since_s = None, time.monotonic()
        deadline_s = since_s + _MOST_UNQUIET_S
        while (now_s := time.monotonic()) < deadline_s and now_s - since_s < _QUIET_S:
            names = sorted(self.node.get_node_names_and_namespaces())
            if names != seen:
                seen, since_s = names, now_s
            time.sleep(_SPIN_S)

    @property
    def frames(self) -> list[FrameSeen]:
        """Overlays seen so far, in order of arrival."""
        with self._lock:
            return list(self._frames)

    @property
    def sync(self) -> SyncSeen:
        """The newest report of the synchroniser."""
        return self._sync

    @property
    def nodes(self) -> dict[str, NodeHealth]:
        """The newest diagnostics by node name."""
        with self._lock:
            return dict(self._nodes)

    @property
    def source_counts(self) -> list[SourceCount]:
        """What the simulated flight reported of itself, in order."""
        with self._lock:
            return list(self._source_counts)

    def wait(self, condition: Callable[[], bool], timeout_s: float, tick: Callable[[], None]) -> bool:
        """Whether ``condition`` came true in time; ``tick`` is called about twenty times a second."""
        deadline_s = time.monotonic() + timeout_s
        while not condition():
            if time.monotonic() > deadline_s:
                return False
            tick()
            time.sleep(0.05)
        return True

    def unlinked(self, topics: Iterable[str]) -> list[str]:
        """Of topics between our nodes, those that lack a writer or a reader."""
        full = [f"{NAMESPACE}/{topic}" for topic in topics]
        return [t for t in full if not (self.node.count_publishers(t) and self.node.count_subscribers(t))]

    def writers(self, topic: str) -> int:
        """How many publishers a topic of ours has."""
        return int(self.node.count_publishers(f"{NAMESPACE}/{topic}"))

    def take_images(
        self, timeout_s: float, tick: Callable[[], None]
    ) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]] | None:
        """One ``(composite rgb (H, W, 3), overlay rgba (H, W, 4))`` of the same stamp, with something drawn
        on it if that comes in time; else the last pair seen; None if there was none.
        """
        taken: dict[str, dict[int, Any]] = {"composite/image_raw": {}, "overlay/image_raw": {}}
        profiles = {"composite/image_raw": qos.COMPOSITE, "overlay/image_raw": qos.OVERLAY}
        subscriptions = [
            self.node.create_subscription(Image, topic, _keep_newest(kept), profiles[topic])
            for topic, kept in taken.items()
        ]
        best: list[tuple[Any, Any]] = []

        def drawn() -> bool:
            composites, overlays = (dict(kept) for kept in taken.values())
            both = sorted(set(composites) & set(overlays))
            for stamp in both:
                rgba = np.frombuffer(overlays[stamp].data, np.uint8).reshape(
                    overlays[stamp].height, overlays[stamp].width, 4
                )
                best[:] = [(image_pixels(composites[stamp]), rgba)]
                if rgba[..., 3].any():
                    return True
            return False

        self.wait(drawn, timeout_s, tick)
        for subscription in subscriptions:
            self.node.destroy_subscription(subscription)
        return best[0] if best else None

    def _spin(self) -> None:
        while not self._closing.is_set():
            self._executor.spin_until_future_complete(Future(), timeout_sec=_SPIN_S)

    def _on_provenance(self, raw: bytes) -> None:
        message = wire.decode(raw, "vidgen/msg/Provenance")  # fifty a second: rclpy takes five times as long
        leaks = _LEAK_CAUSES.intersection(message.marks)
        seen = FrameSeen(
            stamp_ns=_ns(message.header.stamp),
            published_ns=_ns(message.published),
            arrived_s=time.monotonic(),
            cells_open=message.cells_open,
            pixels_drawn=message.pixels_drawn,
            pixels_outside=message.pixels_outside,
            sigma_px=message.sigma_px,
            causes=tuple(message.causes),
            leaf_index=message.leaf_index,
            leaks_closed=self._leaks.setdefault(leaks, leaks),
        )
        with self._lock:
            self._frames.append(seen)
            self.overlays += 1

    def _on_report(self, message: SyncReport) -> None:
        self._sync = SyncSeen(
            thermal_in=message.thermal_in,
            bundles_out=message.bundles_out,
            matched=message.matched,
            drops=_counts(message.drop_reasons, message.drop_counts),
            causes=_counts(message.causes, message.cause_counts),
            late=_counts(message.late_inputs, message.late_counts),
            skew_ms={"p50": float(message.skew_ms_p50), "p99": float(message.skew_ms_p99)},
            sigma_px={"p50": float(message.sigma_px_p50), "p99": float(message.sigma_px_p99)},
        )

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        now_s = time.monotonic()
        with self._lock:
            for status in message.status:
                name = node_of(status.name)
                values = {item.key: item.value for item in status.values}
                level = status.level if isinstance(status.level, int) else ord(status.level)
                self._nodes[name] = NodeHealth(level, status.message, values, now_s)
                if name == "sim_node" and values.get("last_thermal_stamp_ns", "0") != "0":
                    published, stamp_ns = (
                        int(values["published_thermal"]),
                        int(values["last_thermal_stamp_ns"]),
                    )
                    self._source_counts.append(SourceCount(published, stamp_ns, now_s))


def node_of(status_name: str) -> str:
    """``sim_node`` of ``vidgen/sim_node: anything`` or ``/vidgen/sim_node``."""
    return status_name.split(":", 1)[0].strip().removeprefix(f"{NAMESPACE}/").lstrip("/")


def _counts(names: Any, counts: Any) -> dict[str, int]:
    return {str(name): int(count) for name, count in zip(names, counts, strict=False)}


def _ns(stamp: Any) -> int:
    return int(stamp.sec) * 1_000_000_000 + int(stamp.nanosec)


def _keep_newest(kept: dict[int, Any], most: int = 10) -> Callable[[Any], None]:
    def on_image(message: Any) -> None:
        kept[_ns(message.header.stamp)] = message
        while len(kept) > most:
            kept.pop(min(kept))

    return on_image
