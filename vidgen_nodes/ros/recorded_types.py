# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The message types of a recording: the standard ones, and those of a drone's stack by the definition it carries.

MCAP files and sqlite3 recordings since ROS 2 Iron hold the definition of every type; sqlite3 recordings of Humble
hold none. Guarantees: a standard type that was recorded under another definition is refused, and so is a type
without a definition that is needed; one that can be done without is named and left out.
"""

from __future__ import annotations

import functools
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from rosbags.interfaces import Connection, MessageDefinitionFormat
from rosbags.typesys import Stores, TypesysError, get_types_from_idl, get_types_from_msg, get_typestore

from vidgen_nodes.errors import BagError
from vidgen_nodes.ros.inputs import Input


@functools.cache
def typestore() -> Any:
    """The standard types, as rosbags knows them."""
    return get_typestore(Stores.ROS2_KILTED)


def types_of(
    path: Path, connections: Collection[Connection], inputs: Mapping[str, str], wanted: Mapping[str, Input]
) -> tuple[Any, dict[str, str]]:
    """What decodes the inputs of a recording, and why some of them cannot be decoded.

    Args:
        path: names the recording in errors.
        connections: of the recording.
        inputs: recorded topic by input of ours.
        wanted: what each of our inputs is.

    Returns:
        A typestore of rosbags, and by topic of ours one sentence for each that is to be left out.

    Raises:
        BagError: a type that is defined differently, or not defined though it is needed.
    """
    ours = {recorded: topic for topic, recorded in inputs.items()}
    store, left_out = typestore(), {}
    for connection in connections:
        if connection.topic not in ours:
            continue
        if connection.msgtype in typestore().types:
            _check_standard(path, connection)
        elif connection.msgtype not in store.types:
            if store is typestore():
                store = get_typestore(Stores.ROS2_KILTED)
            trouble = _register(store, connection)
            item = wanted[ours[connection.topic]]
            if trouble and item.route is not None and item.route.without:
                left_out[item.topic] = f"without {item.route.without}: {connection.topic}: {trouble}"
            elif trouble:
                raise BagError(f"{path}: {connection.topic}: {trouble}")
    return store, left_out


def _check_standard(path: Path, connection: Connection) -> None:
    expected = typestore().hash_rihs01(connection.msgtype)
    if connection.digest and connection.digest != expected:
        raise BagError(
            f"{path}: {connection.topic}: its {connection.msgtype} is defined differently from the standard "
            f"(hash {connection.digest}, expected {expected}); convert the recording first"
        )


def _register(store: Any, connection: Connection) -> str:
    """Make a type known by the recording's own definition; why that cannot be, else empty."""
    name, definition = connection.msgtype, connection.msgdef
    package = name.split("/", 1)[0]
    if definition.format == MessageDefinitionFormat.NONE or not definition.data.strip():
        return (
            f"the recording holds no definition of {name} (sqlite3 recordings of ROS 2 Humble hold none); where "
            f"{package} is installed, convert it to MCAP: `ros2 bag convert`"
        )
    try:
        if definition.format == MessageDefinitionFormat.IDL:
            types = get_types_from_idl(definition.data)
        else:
            types = get_types_from_msg(definition.data, name)
        store.register({key: value for key, value in types.items() if key not in store.types})
        store.generate_msgdef(name)  # fails where it names types that nobody defined
    except (TypesysError, KeyError, ValueError) as err:
        return f"the recording's definition of {name} cannot be used ({err or type(err).__name__}); record it anew"
    return "" if name in store.types else f"the recording's definition of {name} defines another type"
