"""Areas of cores in one technology, from synthesis and from the model, and who is smallest."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from dse.reproduce.figures import ratio
from dse.reproduce.lut_ternary.cores import Core, modelled_um2
from dse.reproduce.measurements import Measurements

Key = TypeVar("Key")


@dataclass(frozen=True, slots=True)
class Areas:
    """Areas in a technology; None where a core was not measured."""

    measurements: Measurements
    technology: str

    def measured_um2(self, core: Core) -> float | None:
        """From synthesis."""
        return self.measurements.figure(self.technology, core.name, "area_um2")

    def modelled_um2(self, core: Core) -> float | None:
        """From the model, of what was measured."""
        if self.measured_um2(core) is None:
            return None
        return modelled_um2(core.params, self.technology)

    def per_mac_um2(self, core: Core) -> float | None:
        """Area of a lane from synthesis."""
        return ratio(self.measured_um2(core), core.lanes)

    def over(self, core: Core, other: Core) -> float | None:
        """Area per lane of a core over another's."""
        return ratio(self.per_mac_um2(core), self.per_mac_um2(other))

    def best(self, cores: Mapping[Key, Core]) -> Key | None:
        """The key of the core of least area per lane, by synthesis."""
        return _least(cores, self.measured_um2)

    def modelled_best(self, cores: Mapping[Key, Core]) -> Key | None:
        """The same by the model."""
        return _least(cores, self.modelled_um2)

    def agreements(self, rankings: Sequence[Mapping[Key, Core]]) -> float | None:
        """In how many of several rankings model and synthesis have the same winner."""
        pairs = [(self.best(cores), self.modelled_best(cores)) for cores in rankings]
        if any(None in pair for pair in pairs):
            return None
        return float(sum(synthesis == model for synthesis, model in pairs))

    def regret(self, rankings: Sequence[Mapping[Key, Core]]) -> float | None:
        """Area per lane, by synthesis, of the model's winner over the true one, at worst."""
        found = []
        for cores in rankings:
            best, picked = self.best(cores), self.modelled_best(cores)
            if best is None or picked is None:
                return None
            found.append(self.over(cores[picked], cores[best]) or 0.0)
        return max(found, default=None)


def _least(cores: Mapping[Key, Core], area: Callable[[Core], float | None]) -> Key | None:
    per_mac = {key: ratio(area(core), core.lanes) for key, core in cores.items()}
    known = {key: value for key, value in per_mac.items() if value is not None}
    return min(known, key=lambda key: known[key]) if len(known) == len(cores) else None
