"""Shapes of two networks, as GEMMs: one of convolutions, one of attention."""

from collections.abc import Mapping
from typing import TypeAlias

Shape: TypeAlias = tuple[int, int, int]
"""m, k, n of C[m, n] = A[m, k] W[k, n]."""

RESNET18: Mapping[Shape, int] = {
    (112 * 112, 3 * 49, 64): 1,
    (56 * 56, 64 * 9, 64): 4,
    (28 * 28, 64 * 9, 128): 1,
    (28 * 28, 64, 128): 1,
    (28 * 28, 128 * 9, 128): 3,
    (14 * 14, 128 * 9, 256): 1,
    (14 * 14, 128, 256): 1,
    (14 * 14, 256 * 9, 256): 3,
    (7 * 7, 256 * 9, 512): 1,
    (7 * 7, 256, 512): 1,
    (7 * 7, 512 * 9, 512): 3,
    (1, 512, 1000): 1,
}
"""ResNet-18 on one image of 224x224, a convolution as the GEMM of its windows: shape to count.

Source: He et al., "Deep Residual Learning for Image Recognition", CVPR 2016, table 1.
"""

VIT_BASE: Mapping[Shape, int] = {
    (196, 768, 768): 1,
    (197, 768, 768): 4 * 12,
    (197, 768, 3072): 12,
    (197, 3072, 768): 12,
    (197, 64, 197): 12 * 12,
    (197, 197, 64): 12 * 12,
}
"""ViT-Base/16 on one image of 224x224, with the GEMMs of 12 heads in 12 layers: shape to count.

In the GEMMs of a head the operand called W is an activation, too. Source: Dosovitskiy et al., "An
Image is Worth 16x16 Words", ICLR 2021, table 1.
"""

NETWORKS: Mapping[str, Mapping[Shape, int]] = {"ResNet-18": RESNET18, "ViT-Base": VIT_BASE}
"""Name of a network to its GEMMs."""
