"""The base of every component: an Amaranth component built from one params object."""

import functools
import re
from typing import Any

from amaranth.hdl import Elaboratable
from amaranth.lib import wiring

from hwgen.streams import StreamPorts, stream_ports


class Component(wiring.Component):
    """A `wiring.Component` that takes exactly one params object.

    Elaborated without a platform it is an ordinary Amaranth component. Elaborated with a platform
    that has `black_box` (see `hwgen.emit`), every component but the one being converted stands for
    itself as an instance of its own module, so that each distinct (type, params) is converted once.
    """

    reset_less: bool = False
    """True where no register here or below has a reset: the module then has no `rst` port."""

    inline: bool = False
    """True for what is logic of its parent: it becomes part of the parent's module, so that
    synthesis optimises across its ports."""

    clock_port: str = "clk"
    reset_port: str = "rst"
    reset_is_active_low: bool = False
    """How clock and synchronous reset enter the module."""

    def __init__(self, params: Any, members: dict[str, Any]) -> None:
        self.params = params
        # What a bench may count: name to a signal whose value is added up in each cycle. Complete
        # once the component is elaborated; no part of the hardware that ships.
        self.events: dict[str, Any] = {}
        super().__init__(members)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "elaborate" in cls.__dict__:
            cls.elaborate = _black_boxed(cls.__dict__["elaborate"])

    @property
    def streams(self) -> dict[str, StreamPorts]:
        """The streams among the ports, by name."""
        return stream_ports(self.signature)

    @property
    def latencies(self) -> dict[str, int]:
        """Latencies without stalls, where they are constant: what is counted, to cycles."""
        return {}

    @property
    def label(self) -> str:
        """Name of the module, unique for each params of this type within one design."""
        return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", type(self).__name__).lower()


def probed(platform: Any) -> bool:
    """Whether events are wanted: in Amaranth's simulator, and in an emission with probes."""
    return platform is None or getattr(platform, "probes", False)


def _black_boxed(elaborate: Any) -> Any:
    @functools.wraps(elaborate)
    def elaborate_or_instance(self: Component, platform: Any) -> Elaboratable:
        black_box = None if self.inline else getattr(platform, "black_box", None)
        instance = black_box(self) if black_box else None
        return elaborate(self, platform) if instance is None else instance

    return elaborate_or_instance
