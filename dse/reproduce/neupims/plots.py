"""Pictures of the reproduction: file name to what draws it."""

from collections.abc import Mapping

from dse.reproduce.paper import Plot

PLOTS: Mapping[str, Plot] = {}
