"""What every numerical room shares: errors that teach."""

from __future__ import annotations


class ArgumentError(ValueError):
    """A wrong value: the message names the argument, the rule, what came, and the remedy."""

    def __init__(self, argument: str, rule: str, got: object, remedy: str) -> None:
        super().__init__(f"{argument}: {rule}; got {got}. {remedy}")


class ArgumentTypeError(TypeError):
    """A wrong kind of argument, told in the same four parts as :class:`ArgumentError`."""

    def __init__(self, argument: str, rule: str, got: object, remedy: str) -> None:
        super().__init__(f"{argument}: {rule}; got {got}. {remedy}")
