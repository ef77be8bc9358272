"""What every numerical room shares: errors that teach, array namespaces, named shapes and rounding.

Rules for rounding, used by every check (``u`` is the unit roundoff of the dtype that came in):

* rows of an attention matrix over ``n`` tokens may miss 1 by ``4 (n + 8) u``;
* a number that must not exceed another (``d <= D``, ``eps_lower <= eps_upper``, ``m eps_lower <= 1``) may
  exceed it by ``64 u`` times the larger side, and is then clipped to it;
* anything beyond is an error, never silently repaired.
"""

from __future__ import annotations

import math
import operator
from typing import Any

import array_api_compat
import numpy as np

# The shapes that public signatures name. They are loose for the type checker on purpose: a wrong shape or
# dtype meets this package's own errors, which name the remedy, before any annotation is checked.
Tokens = Any
"""Real floating array ``(*batch, n, d)``: one row a token."""
Attention = Any
"""Real floating array ``(*batch, n, n)``: row-stochastic, row = query, column = key."""
Labels = Any
"""Integer array ``(n,)`` or ``(*batch, n)``: clusters ``0..M-1``, and ``-1`` for an outsider."""
Scalars = Any
"""Real number or real floating array that broadcasts against the others."""
Number = Any
"""A Python or NumPy real number."""
Namespace = Any
"""An array namespace of the Python array API standard."""

SLACK = 64


class ArgumentError(ValueError):
    """A wrong value: the message names the argument, the rule, what came, and the remedy."""

    def __init__(self, argument: str, rule: str, got: object, remedy: str) -> None:
        super().__init__(f"{argument}: {rule}; got {got}. {remedy}")


class ArgumentTypeError(TypeError):
    """A wrong kind of argument, told in the same four parts as :class:`ArgumentError`."""

    def __init__(self, argument: str, rule: str, got: object, remedy: str) -> None:
        super().__init__(f"{argument}: {rule}; got {got}. {remedy}")


def is_scalar(value: object) -> bool:
    """Whether `value` is a Python or NumPy number, which counts as a 0-d array of any kind."""
    return isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)


def namespace(*optional: str, **arrays: object) -> Namespace:
    """The one array namespace of all named arrays; numbers follow the others, alone they are NumPy's. Those
    named in `optional` may be None.

    Raises:
        ArgumentTypeError: something is no array, or two are of different kinds.
    """
    first: tuple[str, Any] | None = None
    for name, value in arrays.items():
        if is_scalar(value) or (value is None and name in optional):
            continue
        if not array_api_compat.is_array_api_obj(value):
            raise ArgumentTypeError(
                name, "must be a NumPy array or a torch tensor", type(value).__name__, "Convert it first."
            )
        xp = array_api_compat.array_namespace(value)
        if first is None:
            first = (name, xp)
        elif xp is not first[1]:
            raise ArgumentTypeError(
                name,
                f"must be of one kind with {first[0]}",
                f"{_kind(xp)} beside {_kind(first[1])}",
                "Convert one of the two: all arrays of a call are NumPy arrays or all are torch tensors.",
            )
    return array_api_compat.array_namespace(np.empty(0)) if first is None else first[1]


def _kind(xp: Namespace) -> str:
    return xp.__name__.removeprefix("array_api_compat.")


def real(xp: Namespace, name: str, value: Any, *, ndim: int = 0, like: Any = None) -> Any:
    """`value` as a finite real floating array with at least `ndim` axes; a number takes dtype and device
    of `like`.

    Raises:
        ArgumentTypeError: the dtype is not real floating.
        ArgumentError: too few axes, NaN or infinity.
    """
    if is_scalar(value):
        options = {} if like is None else {"device": array_api_compat.device(like)}
        # An integer `like` is refused by its own name, not by that of the number beside it.
        known = xp.float64 if like is None else like.dtype
        dtype = known if xp.isdtype(known, "real floating") else xp.float64
        value = xp.asarray(float(value), dtype=dtype, **options)
    if not xp.isdtype(value.dtype, "real floating"):
        raise ArgumentTypeError(
            name, "must have a real floating dtype", value.dtype, "Convert it, for example to float64."
        )
    if value.ndim < ndim:
        raise ArgumentError(
            name, f"must have at least {ndim} axes", f"shape {tuple(value.shape)}", "Add the missing axis."
        )
    if not bool(xp.all(xp.isfinite(value))):
        raise ArgumentError(
            name,
            "must be finite",
            _count(xp, ~xp.isfinite(value), "NaN or infinite"),
            "Remove what is not a number.",
        )
    return value


def number(name: str, value: Any) -> float:
    """`value`, a number or a real array without axes, as a finite Python float.

    Raises:
        ArgumentTypeError, ArgumentError: it is none.
    """
    value = real(namespace(**{name: value}), name, value)
    if value.ndim:
        raise ArgumentTypeError(name, "must be one number", f"shape {tuple(value.shape)}", "Take one entry.")
    return float(value)


def positive(name: str, value: Any) -> float:
    """`value`, a number or a real array without axes, as a Python float above 0.

    Raises:
        ArgumentError: it is none.
    """
    array: Any = value
    known = is_scalar(value)
    if not known and array_api_compat.is_array_api_obj(value) and array.ndim == 0:
        known = array_api_compat.array_namespace(array).isdtype(array.dtype, ("real floating", "integral"))
    if not known or not 0 < array < math.inf:
        raise ArgumentError(name, "must be a positive number", value, "Pass a finite number above 0.")
    return float(array)


def whole(name: str, value: Any, *, least: int = 0) -> int:
    """`value` as a whole number of at least `least`.

    Raises:
        ArgumentTypeError, ArgumentError: it is none, or smaller.
    """
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise ArgumentTypeError(name, "must be a whole number", type(value).__name__, "Pass an int.")
    if value < least:
        raise ArgumentError(name, f"must be at least {least}", value, "Pass a larger one.")
    return int(value)


def two_of(name: str, value: Any, count: int, what: str) -> tuple[int, int]:
    """`value` as the numbers of two of `count` things, which are not the same.

    Raises:
        ArgumentTypeError, ArgumentError: it is not.
    """
    rule, remedy = f"must name two of the {count} {what}", f"Pass a pair of different numbers below {count}."
    try:
        chosen = [operator.index(each) for each in value]
    except TypeError:
        raise ArgumentTypeError(name, rule, repr(value), remedy) from None
    if len(chosen) != 2 or not 0 <= min(chosen) < max(chosen) < count:
        raise ArgumentError(name, rule, value, remedy)
    return chosen[0], chosen[1]


def flag(name: str, value: Any) -> bool:
    """`value` as True or False.

    Raises:
        ArgumentTypeError: it is neither.
    """
    if not isinstance(value, bool | np.bool_):
        raise ArgumentTypeError(name, "must be True or False", type(value).__name__, "Choose one.")
    return bool(value)


def _count(xp: Namespace, wrong: Any, what: str) -> str:
    return f"{int(xp.sum(xp.astype(wrong, xp.int64)))} {what} of {math.prod(wrong.shape)}"


def unit_roundoff(xp: Namespace, x: Any) -> float:
    """Half the distance from 1 to the next number of the dtype of `x`."""
    return float(xp.finfo(x.dtype).eps) / 2


def row_slack(xp: Namespace, attention: Any) -> float:
    """By how much a row of `attention` may miss the sum 1: ``4 (n + 8) u``."""
    return 4 * (attention.shape[-1] + 8) * unit_roundoff(xp, attention)


def stochastic(xp: Namespace, name: str, value: Any) -> Any:
    """`value` as a row-stochastic array ``(*batch, n, n)``.

    Raises:
        ArgumentTypeError: the dtype is not real floating.
        ArgumentError: not square, NaN, a negative weight, or rows that do not sum to 1 within
            :func:`row_slack`.
    """
    value = real(xp, name, value, ndim=2)
    n = value.shape[-1]
    if value.shape[-2] != n or n == 0:
        raise ArgumentError(
            name,
            "must be square and not empty in its last two axes (queries, keys)",
            f"shape {tuple(value.shape)}",
            "Pass the whole attention matrix of a step.",
        )
    if bool(xp.any(value < 0)):
        raise ArgumentError(
            name,
            "weights must not be negative",
            f"a weight of {float(xp.min(value)):.3g}",
            "Pass softmax weights.",
        )
    defect = xp.abs(xp.sum(value, axis=-1) - 1)
    if bool(xp.any(defect > row_slack(xp, value))):
        raise ArgumentError(
            name,
            f"every row must sum to 1 (within {row_slack(xp, value):.2g} for {value.dtype})",
            f"a row that misses it by {float(to_numpy(xp.max(defect))):.3g}",
            "Rows are queries and columns keys: transpose, or divide each row by its sum.",
        )
    return value


def at_most(
    xp: Namespace, name: str, value: Any, other: str, limit: Any, *, slack: float | None = None
) -> Any:
    """`value` clipped to `limit`, refused where it exceeds it by more than rounding (`slack`, else ``64
    u`` relative).

    Raises:
        ArgumentError: ``value > limit`` beyond rounding.
    """
    relative = SLACK * unit_roundoff(xp, value) if slack is None else slack
    if bool(xp.any(value > limit + relative * xp.maximum(xp.abs(value), xp.abs(limit)))):
        excess = float(xp.max(value - limit))
        raise ArgumentError(
            name,
            f"must be at most {other}",
            f"{name} - {other} = {excess:.6g}",
            "Check which is which, and their units.",
        )
    return xp.minimum(value, limit)


def to_numpy(x: Any) -> np.ndarray:
    """A copy of `x` on the host, for the few steps that only SciPy or plain Python can do."""
    if isinstance(x, np.ndarray | np.generic):
        return np.array(x)
    return x.detach().cpu().numpy() if hasattr(x, "detach") else np.array(np.from_dlpack(x))


def flatten_batch(xp: Namespace, x: Any, batch: tuple[int, ...]) -> Any:
    """`x` of shape ``(*some, r, c)`` broadcast to `batch` and reshaped to ``(b, r, c)``."""
    tail = tuple(x.shape[-2:])
    return xp.reshape(xp.broadcast_to(x, (*batch, *tail)), (math.prod(batch), *tail))


def common_batch(xp: Namespace, **shapes: tuple[int, ...]) -> tuple[int, ...]:
    """The batch shape that all named ones broadcast to.

    Raises:
        ArgumentError: one does not broadcast against those before it.
    """
    return _broadcast("leading (batch) axes ", shapes)


def common_shape(**arrays: Any) -> tuple[int, ...]:
    """The shape that all named arrays broadcast to.

    Raises:
        ArgumentError: one does not broadcast against those before it.
    """
    return _broadcast("", {name: each.shape for name, each in arrays.items()})


def _broadcast(axes: str, shapes: dict[str, tuple[int, ...]]) -> tuple[int, ...]:
    common, before = (), []
    for name, shape in shapes.items():
        shape = tuple(shape)
        try:
            common = np.broadcast_shapes(common, shape)
        except ValueError:
            raise ArgumentError(
                name,
                f"{axes}must broadcast against {' and '.join(before)}",
                f"{shape} beside {common}",
                "Align the axes, the last one first.",
            ) from None
        before += [name] if shape else []
    return common


def checked_step(xp: Namespace, attention: Any, tokens: Any) -> tuple[Any, Any]:
    """Both arguments of a step in their common dtype.

    Raises:
        ArgumentTypeError, ArgumentError: mixed devices, shapes that do not fit, and as
            :func:`stochastic` and :func:`real`.
    """
    attention = stochastic(xp, "attention", attention)
    tokens = real(xp, "tokens", tokens, ndim=2)
    if attention.shape[-1] != tokens.shape[-2]:
        raise ArgumentError(
            "tokens",
            f"must have one row a key, so n = {attention.shape[-1]}",
            f"shape {tuple(tokens.shape)}",
            "Attention and tokens must come from the same step, prefix tokens included in both.",
        )
    common_batch(xp, attention=tuple(attention.shape[:-2]), tokens=tuple(tokens.shape[:-2]))
    if array_api_compat.device(attention) != array_api_compat.device(tokens):
        raise ArgumentError(
            "tokens", "must be on the device of attention", array_api_compat.device(tokens), "Move it."
        )
    dtype = xp.result_type(attention, tokens)
    return xp.astype(attention, dtype, copy=False), xp.astype(tokens, dtype, copy=False)
