"""A technology: the prices of one process, their sources, and the calibration behind them."""

from collections.abc import Mapping
from dataclasses import dataclass

from archmodels.counts import Item, Kind, Operation, Stage
from archmodels.technology.prices import Price
from designs.rules import Real, to_real

CALIBRATION = "calibration"
"""The source of the prices that the calibration block stands behind."""


class MissingPriceError(ValueError):
    """A count has no price; the sentence names the technology and the kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """A file that a calibration read: its name without folders, and the SHA-256 of its text."""

    file: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """What made the fitted prices: our version, the tools', the files read, the clock target.

    `points` is the number of microbenchmarks synthesised.
    """

    hwgen: str
    tools: Mapping[str, str]
    liberty: tuple[Input, ...]
    sram: tuple[Input, ...]
    clock_ps: float
    points: int

    @property
    def title(self) -> str:
        """The calibration as a source to quote."""
        tools = ", ".join(f"{name} {version}" for name, version in self.tools.items())
        read = ", ".join(f"{item.file} (SHA-256 {item.sha256[:12]})" for item in self.liberty)
        macros = f" and {len(self.sram)} SRAM macros" if self.sram else ""
        return f"hwgen {self.hwgen} calibrate, {self.points} points, {tools}, on {read}{macros}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Technology:
    """The prices of one process, and the full titles of their sources by short name.

    Areas are in um2, energies in pJ, leakage in nW and delays in ps. `leakage_prices` and
    `delay_prices` are None where the technology has no such data: there is then no leakage, and no
    clock period.
    """

    name: str
    node_nm: int
    supply_v: float
    sources: Mapping[str, str]
    area_prices: Mapping[Kind, Price]
    energy_prices: Mapping[Kind, Price]
    leakage_prices: Mapping[Kind, Price] | None = None
    delay_prices: Mapping[Kind, Price] | None = None
    calibration: Calibration | None = None

    def area_um2(self, item: Item, key: str = "") -> Real:
        """Area of all instances of `item`, without wires and placement density.

        Raises MissingPriceError, which names the inventory key `key` where one is given.
        """
        return to_real(item.count) * self.area_price(item.kind, key).at(item.bits, item.other_bits)

    def energy_pj(self, operation: Operation, key: str = "") -> Real:
        """Dynamic energy of one operation, without leakage, wires and clock tree.

        Raises MissingPriceError, which names the activity key `key` where one is given.
        """
        price = self.energy_price(operation.kind, key)
        energy = price.at(operation.bits, operation.other_bits)
        if price.statistics is None:
            return energy
        return energy * price.statistics.at(operation.toggle, operation.zeros)

    def leakage_nw(self, item: Item, key: str = "") -> Real:
        """Leakage of all instances of `item`. Raises MissingPriceError."""
        price = self.leakage_price(item.kind, key)
        return to_real(item.count) * price.at(item.bits, item.other_bits)

    def delay_ps(self, stage: Stage, key: str = "") -> Real:
        """Delay through one stage of the path `key`, without wires. Raises MissingPriceError."""
        return self.delay_price(stage.kind, key).at(stage.bits, stage.other_bits)

    def area_price(self, kind: Kind, key: str = "") -> Price:
        """The area price of `kind`. Raises MissingPriceError."""
        return self._price(self.area_prices, kind, "area", "inventory", key)

    def energy_price(self, kind: Kind, key: str = "") -> Price:
        """The energy price of `kind`. Raises MissingPriceError."""
        return self._price(self.energy_prices, kind, "energy", "activity", key)

    def leakage_price(self, kind: Kind, key: str = "") -> Price:
        """The leakage price of `kind`. Raises MissingPriceError."""
        return self._price(self.leakage_prices or {}, kind, "leakage", "inventory", key)

    def delay_price(self, kind: Kind, key: str = "") -> Price:
        """The delay price of `kind`. Raises MissingPriceError."""
        return self._price(self.delay_prices or {}, kind, "delay", "path", key)

    @property
    def titles(self) -> tuple[str, ...]:
        """Full titles of all sources, the calibration among them."""
        made = () if self.calibration is None else (self.calibration.title,)
        return (*self.sources.values(), *made)

    def title(self, price: Price) -> str:
        """The full title of what a price is from."""
        if price.source == CALIBRATION and self.calibration is not None:
            return self.calibration.title
        return self.sources[price.source]

    def _price(
        self, prices: Mapping[Kind, Price], kind: Kind, quantity: str, where: str, key: str
    ) -> Price:
        if kind not in prices:
            place = f" ({where} key {key})" if key else ""
            raise MissingPriceError(
                f"technology {self.name} has no {quantity} price for '{kind}'{place}"
            )
        return prices[kind]
