"""What the authors say, and what their artifact's data come to.

The paper: Nayak, Wu, Odemuyiwa, Pellauer, Emer, Fletcher, "FuseMax: Leveraging Extended Einsums to
Optimize Attention Accelerator Design", MICRO 2024. Its artifact holds the data behind the figures;
the means below are over its 24 points, four encoders at six lengths.
"""

from dataclasses import dataclass

from designs.fusemax import Configuration

PAPER, ARTIFACT = "the paper", "its artifact"
LENGTHS = tuple(2**power for power in range(10, 21, 2))
"""Tokens of a sequence: 1K to 1M."""

PARETO_LENGTH = 2**18
PARETO_NAMES = {"bert": "BERT", "transformer_xl": "TrXL", "t5_small": "T5"}
"""Encoders of which the areas of all buffers are known: those with heads of 64."""

PARETO_SIDES = tuple(2**power for power in range(4, 10))
"""Of figure 12."""

NAMES = {
    Configuration.UNFUSED: "unfused",
    Configuration.FLAT: "FLAT",
    Configuration.CASCADE: "+Cascade",
    Configuration.ARCHITECTURE: "+Architecture",
    Configuration.BINDING: "+Binding (FuseMax)",
}
"""As in the figures."""

BASELINES = (Configuration.UNFUSED, Configuration.FLAT)


@dataclass(frozen=True, kw_only=True, slots=True)
class Means:
    """Of ratios to the unfused machine: arithmetic and geometric."""

    arithmetic: float
    geometric: float


def _means(*pairs: tuple[float, float]) -> dict[Configuration, Means]:
    """Of all configurations but the unfused, in order."""
    values = [Means(arithmetic=one, geometric=other) for one, other in pairs]
    return dict(zip(list(Configuration)[1:], values, strict=True))


ATTENTION_SPEED = _means(
    (1.50666, 1.50162), (1.35830, 1.35698), (3.26990, 3.23601), (10.05195, 9.70418)
)
ATTENTION_ENERGY = _means(
    (0.97471, 0.97461), (0.88524, 0.88470), (0.76738, 0.76621), (0.76738, 0.76621)
)
LAYER_SPEED = _means((1.42906, 1.42510), (1.31837, 1.31583), (2.87068, 2.78056), (7.60215, 6.56218))
LAYER_ENERGY = _means(
    (0.98495, 0.98492), (0.91764, 0.91685), (0.82099, 0.81755), (0.82099, 0.81755)
)
ATTENTION_SPEED_OVER_FLAT = Means(arithmetic=6.72263, geometric=6.46247)
ATTENTION_ENERGY_OVER_FLAT = Means(arithmetic=0.78746, geometric=0.78618)
LAYER_SPEED_OVER_FLAT = Means(arithmetic=5.30168, geometric=4.60473)
LAYER_ENERGY_OVER_FLAT = Means(arithmetic=0.83349, geometric=0.83006)

TOLERANCE = 5e-4
"""How far a mean of ours may be from the artifact's: energies of the baselines are fitted."""

AREA_OVER_FLAT = 0.936
"""FuseMax's over FLAT's, buffers included."""

ONE_ARRAY_UTILISATION = 0.394
"""What FSA's array comes to at most where its side is 128."""
