"""Each configuration's model."""

from collections.abc import Callable

import numpy as np

from archmodels.fusemax.activity import Activity
from archmodels.fusemax.one_pass import (
    architecture_timing,
    binding_timing,
    cascade_activity,
    cascade_timing,
    fusemax_activity,
)
from archmodels.fusemax.shapes import Machine, Problem
from archmodels.fusemax.three_pass import (
    flat_activity,
    flat_timing,
    unfused_activity,
    unfused_timing,
)
from archmodels.fusemax.timing import Timing
from designs.fusemax import Configuration

TIMINGS: dict[Configuration, Callable[[Machine, Problem], Timing]] = {
    Configuration.UNFUSED: unfused_timing,
    Configuration.FLAT: flat_timing,
    Configuration.CASCADE: cascade_timing,
    Configuration.ARCHITECTURE: architecture_timing,
    Configuration.BINDING: binding_timing,
}

ACTIVITIES: dict[Configuration, Callable[[Machine, Problem], Activity]] = {
    Configuration.UNFUSED: unfused_activity,
    Configuration.FLAT: flat_activity,
    Configuration.CASCADE: cascade_activity,
    Configuration.ARCHITECTURE: fusemax_activity,
    Configuration.BINDING: fusemax_activity,
}


def timing(machine: Machine, work: Problem) -> Timing:
    """When attention is done, of one machine or of a Grid of one configuration."""
    return TIMINGS[_configuration(machine)](machine, work)


def activity(machine: Machine, work: Problem) -> Activity:
    """What happens for attention, of one machine or of a Grid of one configuration."""
    return ACTIVITIES[_configuration(machine)](machine, work)


def _configuration(machine: Machine) -> Configuration:
    """The one that all points have. Raises ValueError where they differ."""
    found = np.unique(machine.configuration)
    if len(found) != 1:
        raise ValueError(f"configuration must be the same at all points, not {found.tolist()}")
    return Configuration(int(found[0]))
