"""What the library reports while it works, given to a function of the caller's; by default to none."""

from enum import IntEnum
from typing import Any, Callable, Optional, Tuple

from . import _abi


class LogLevel(IntEnum):
    """How much a line matters."""

    ERROR = 1
    WARNING = 2
    INFORMATION = 3
    DEBUG = 4


LogCallback = Callable[[LogLevel, str], None]

_chosen: Optional[Tuple[Any, LogLevel]] = None  # what the library calls, and up to which level


def set_log(callback: Optional[LogCallback], level: LogLevel = LogLevel.INFORMATION) -> None:
    """Has `callback(level, line)` called for what the library reports, up to `level`; None: no more.

    It holds for all calls of this process that begin later, and is called on the thread that made the call. An
    exception in it does not reach that call: Python reports it by `sys.unraisablehook`.

        logger = logging.getLogger("scarlet")
        scarlet.set_log(lambda level, line: logger.log(50 - 10 * level, line))
    """
    global _chosen
    if callback is None:
        _chosen = None
        return
    wanted = callback

    def receive(_: Any, level: int, line: bytes) -> None:
        wanted(LogLevel(level), line.decode("utf-8", "replace"))

    _chosen = _abi.Log(receive), LogLevel(level)


def current() -> Optional[Tuple[Any, LogLevel]]:
    """What the library shall call, and up to which level."""
    return _chosen
