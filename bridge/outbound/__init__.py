"""Every HTTP request that leaves the bridge: `open_engine` gives what sends it, `Outgoing` says what is sent."""

from bridge.outbound.engine import ENGINES, Engine, open_engine
from bridge.outbound.message import Incoming, Outgoing, header_value

__all__ = ["ENGINES", "Engine", "Incoming", "Outgoing", "header_value", "open_engine"]
