"""What the end-to-end tests stand on: the real binary, raw origins and raw clients.

Python standard library only, and no code shared with the product: what these tests call a
well-formed message is decided here, by a second reading of RFC 9112.
"""
from .case import EdgeTest, TimedTest, main
from .client import RawClient
from .http1 import Malformed, Request, Response
from .origin import RawOrigin
from .process import Scrollgate
from .wait import SANITIZED_SKIP, SCALE, deadline, eventually, free_port

__all__ = ["EdgeTest", "Malformed", "RawClient", "RawOrigin", "Request", "Response",
           "SANITIZED_SKIP", "SCALE", "Scrollgate", "TimedTest", "deadline", "eventually",
           "free_port", "main"]
