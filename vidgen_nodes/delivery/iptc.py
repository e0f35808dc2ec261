# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What kind of picture this is, in the words of the IPTC NewsCodes vocabulary "Digital Source Type".

Guarantees: a picture with a camera's pixels in it is never called purely synthetic, and the reverse. Leaves out where
the word is written (``xmp.py``, ``content_credentials.py``).
"""

from __future__ import annotations

from vidgen_nodes.delivery.label import AIGC

NAMESPACE = "http://cv.iptc.org/newscodes/digitalsourcetype/"
COMPOSITE_SYNTHETIC = NAMESPACE + "compositeSynthetic"  # captured and procedural
COMPOSITE_TRAINED = (
    NAMESPACE + "compositeWithTrainedAlgorithmicMedia"
)  # captured and drawn by a learned model
ALGORITHMIC = NAMESPACE + "algorithmicMedia"  # purely procedural
TRAINED = NAMESPACE + "trainedAlgorithmicMedia"  # purely by a learned model


def digital_source_type(code: str, *, camera: bool) -> str:
    """The address of the word for a picture.

    Args:
        code: label code of its record.
        camera: whether pixels of a real camera are in it; a simulated one does not count.
    """
    if camera:
        return COMPOSITE_TRAINED if code == AIGC else COMPOSITE_SYNTHETIC
    return TRAINED if code == AIGC else ALGORITHMIC
