"""A pickle machine that makes nothing: globals become names, calls become stand-ins.

The machine has the opcodes of protocols 0 to 5, save those that reach outside the file (persistent ids, extension codes, buffers
out of band), which are refused. An opcode costs O(1) beyond the bytes it reads; nothing here calls itself, so that depth costs no stack.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

from core.errors import InputError, LimitError
from core.files.models.inert import LONGEST_NAME, MODULES_RENAMED, InertArray, Made, Name
from core.files.models.pickles.calls import call, keys, set_state
from core.files.models.pickles.joblib import begins_array, raw_array
from core.files.models.pickles.plain import decimal_of, quoted_of, text_of, whole_of
from core.files.models.pickles.stream import Stream, damaged
from core.files.tables.limits import ModelLimits

_LOOK = 1 << 14
_MOST_NESTED = 8
_REFUSED = {
    b"P": "objects kept outside it (persistent ids)",
    b"Q": "objects kept outside it (persistent ids)",
    b"\x82": "extension codes",
    b"\x83": "extension codes",
    b"\x84": "extension codes",
    b"\x97": "buffers kept outside it",
    b"\x98": "buffers kept outside it",
}


class _Frame:
    """Stack and memo of one pickle.

    Object arrays in joblib's files are pickles within the pickle.
    """

    __slots__ = ("marks", "memo", "stack")

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.marks: list[list[Any]] = []
        self.memo: dict[int, Any] = {}


class Machine:
    """Reads one pickle or joblib stream into a tree.

    Parameters
    ----------
    stream : Stream
    limits : ModelLimits
        `max_opcodes` bounds the work.
    """

    def __init__(self, stream: Stream, limits: ModelLimits) -> None:
        self.stream = stream
        self.limits = limits
        self.made = 0
        self.outer: list[_Frame] = []
        self._enter(_Frame())

    def run(self) -> Any:
        """Return the tree. Cost grows with the bytes of the stream."""
        done, take = 0, self.stream.take
        table = _TABLE
        while True:
            step = table.get(code := take(1))
            if step is None:
                raise self._unknown(code)
            done += 1
            if not done % _LOOK:
                self._look(done)
            try:
                step(self)
            except (LookupError, AttributeError, TypeError, ValueError, ArithmeticError, RecursionError) as error:
                if isinstance(error, InputError):
                    raise
                raise damaged(f"an instruction fits nothing that stands before it ({type(error).__name__})") from error
            if code == b"." and not self.outer:
                return self.stack[-1]
            if code == b".":
                self._leave()

    def _look(self, done: int) -> None:
        self.stream.check_time()
        if self.made > self.limits.max_objects:
            raise LimitError(
                f"A model file can hold at most {self.limits.max_objects:,} objects. Got more; save a smaller model."
            )
        if done > self.limits.max_opcodes:
            raise LimitError(
                f"A model file can hold at most {self.limits.max_opcodes:,} instructions. Got more; save a smaller model."
            )

    def _unknown(self, code: bytes) -> InputError:
        if what := _REFUSED.get(code):
            return InputError(
                f"A model file must hold all of the model. This one asks for {what}; save the model with joblib.dump or skops."
            )
        return damaged(f"byte {code!r} at {self.stream.at - 1:,} is no instruction")

    def _enter(self, frame: _Frame) -> None:
        self.frame, self.stack, self.memo = frame, frame.stack, frame.memo

    def nest(self) -> None:
        """Read on with a pickle of its own; its result comes to stand on this stack."""
        if len(self.outer) >= _MOST_NESTED:
            raise damaged("arrays nest too deep")
        self.outer.append(self.frame)
        self._enter(_Frame())

    def _leave(self) -> None:
        result = self.stack[-1]
        if not isinstance(result, InertArray):
            raise damaged("an array is something else")
        self._enter(self.outer.pop())
        self.stack.append(result)

    def check_result(self) -> None:
        """Raise where a pickle ends with nothing to show."""
        if not self.stack:
            raise damaged("a pickle ends without a result")

    def to_mark(self) -> list[Any]:
        """Return the items on the stack since the last mark, and take them off."""
        held = self.frame.stack
        self.frame.stack = self.stack = self.frame.marks.pop()
        return held


_Step = Callable[[Machine], None]


def _push(read: Callable[[Machine], Any]) -> _Step:
    def step(machine: Machine) -> None:
        value = read(machine)  # first, since reading may change which stack is on top
        machine.stack.append(value)

    return step


def _constant(value: Any) -> _Step:
    return _push(lambda _: value)


def _proto(machine: Machine) -> None:
    if (protocol := machine.stream.number(1)) > 5:
        raise damaged(f"it says protocol {protocol}, and there are 0 to 5")


def _frame(machine: Machine) -> None:
    size = machine.stream.number(8)
    if size > len(machine.stream.data) - machine.stream.at:
        raise damaged("a frame is longer than the file")


def _mark(machine: Machine) -> None:
    machine.frame.marks.append(machine.stack)
    machine.frame.stack = machine.stack = []


def _pop(machine: Machine) -> None:
    if machine.stack:
        machine.stack.pop()
    else:
        machine.to_mark()


def _pop_mark(machine: Machine) -> None:
    machine.to_mark()


def _sized(size: int, then: Callable[[bytes], Any]) -> _Step:
    def step(machine: Machine) -> None:
        stream = machine.stream
        machine.stack.append(then(stream.take(stream.number(size))))

    return step


def _name(module: str, name: str) -> Name:
    if not (isinstance(module, str) and isinstance(name, str)) or len(module) + len(name) > LONGEST_NAME:
        raise damaged("a class or function has no proper name")
    return Name(MODULES_RENAMED.get(module, module), name)


def _global(machine: Machine) -> None:
    module = machine.stream.word()
    machine.stack.append(_name(module, machine.stream.word()))


def _stack_global(machine: Machine) -> None:
    name, module = machine.stack.pop(), machine.stack.pop()
    machine.stack.append(_name(module, name))


def _append(machine: Machine) -> None:
    value = machine.stack.pop()
    _extend(machine.stack[-1], [value])


def _appends(machine: Machine) -> None:
    held = machine.to_mark()
    _extend(machine.stack[-1], held)


def _extend(target: Any, held: list[Any]) -> None:
    if isinstance(target, Made):
        target.items.extend(held)
    elif isinstance(target, list):
        target.extend(held)
    else:
        raise damaged("items are added to what is no list")


def _set_item(machine: Machine) -> None:
    value, name = machine.stack.pop(), machine.stack.pop()
    _fill(machine.stack[-1], [name], [value])


def _set_items(machine: Machine) -> None:
    held = machine.to_mark()
    _fill(machine.stack[-1], held[::2], held[1::2])


def _fill(target: Any, names: list[Any], values: list[Any]) -> None:
    if len(names) != len(values):
        raise damaged("a dictionary has a key without a value")
    if isinstance(target, Made):
        target.pairs.extend(zip(names, values, strict=True))
    elif isinstance(target, dict):
        target.update(zip(keys(names, target), values, strict=True))
    else:
        raise damaged("keys are added to what is no dictionary")


def _dict(machine: Machine) -> None:
    held = machine.to_mark()
    made: dict[Any, Any] = {}
    _fill(made, held[::2], held[1::2])
    machine.stack.append(made)


def _add_items(machine: Machine) -> None:
    held = machine.to_mark()
    target = machine.stack[-1]
    if isinstance(target, Made):
        target.items.extend(held)
    elif isinstance(target, set):
        target.update(keys(held, target))
    else:
        raise damaged("items are added to what is no set")


def _tuple(size: int) -> _Step:
    def step(machine: Machine) -> None:
        held = machine.stack[-size:]
        if len(held) < size:
            raise damaged("a tuple lacks items")
        machine.stack[-size:] = [tuple(held)]

    return step


def _put(read: Callable[[Machine], int]) -> _Step:
    def step(machine: Machine) -> None:
        machine.memo[read(machine)] = machine.stack[-1]

    return step


def _get(read: Callable[[Machine], int]) -> _Step:
    return _push(lambda machine: machine.memo[read(machine)])


def _reduce(machine: Machine) -> None:
    args = machine.stack.pop()
    machine.stack[-1] = call(machine.stack[-1], args, machine.stream)


def _new_object(machine: Machine) -> None:
    args = machine.stack.pop()
    machine.stack[-1] = Made(machine.stack[-1], args)


def _new_object_by_name(machine: Machine) -> None:
    kwargs, args = machine.stack.pop(), machine.stack.pop()
    if not isinstance(kwargs, dict):
        raise damaged("an object is made with arguments by name that have none")
    machine.stack[-1] = Made(machine.stack[-1], args, kwargs)


def _instance(machine: Machine) -> None:
    module = machine.stream.word()
    name = _name(module, machine.stream.word())
    args = tuple(machine.to_mark())
    machine.stack.append(Made(name, args))


def _object(machine: Machine) -> None:
    maker, *args = machine.to_mark()
    machine.stack.append(Made(maker, tuple(args)))


def _build(machine: Machine) -> None:
    state = machine.stack.pop()
    target = machine.stack[-1]
    set_state(target, state, machine.stream)
    if machine.outer or not begins_array(target):
        return
    machine.stack.pop()
    found = raw_array(target, machine.stream)
    if found is None:
        machine.nest()
    else:
        machine.stack.append(found)


_TABLE: dict[bytes, _Step] = {
    b"\x80": _proto,
    b"\x95": _frame,
    b".": lambda machine: machine.check_result(),
    b"(": _mark,
    b"0": _pop,
    b"1": _pop_mark,
    b"2": _push(lambda machine: machine.stack[-1]),
    b"N": _constant(None),
    b"\x88": _constant(True),
    b"\x89": _constant(False),
    b"I": _push(lambda machine: decimal_of(machine.stream.line())),
    b"L": _push(lambda machine: decimal_of(machine.stream.line())),
    b"J": _push(lambda machine: whole_of(machine.stream.take(4))),
    b"K": _push(lambda machine: machine.stream.number(1)),
    b"M": _push(lambda machine: machine.stream.number(2)),
    b"\x8a": _sized(1, whole_of),
    b"\x8b": _sized(4, whole_of),
    b"F": _push(lambda machine: float(machine.stream.line()[:100])),
    b"G": _push(lambda machine: struct.unpack(">d", machine.stream.take(8))[0]),
    b"S": _push(lambda machine: quoted_of(machine.stream.line())),
    b"T": _sized(4, lambda data: data.decode("latin-1")),
    b"U": _sized(1, lambda data: data.decode("latin-1")),
    b"V": _push(lambda machine: machine.stream.line().decode("raw-unicode-escape")),
    b"X": _sized(4, text_of),
    b"\x8c": _sized(1, text_of),
    b"\x8d": _sized(8, text_of),
    b"B": _sized(4, bytes),
    b"C": _sized(1, bytes),
    b"\x8e": _sized(8, bytes),
    b"\x96": _sized(8, bytes),
    b"]": _push(lambda _: []),
    b"}": _push(lambda _: {}),
    b")": _constant(()),
    b"\x8f": _push(lambda _: set()),
    b"a": _append,
    b"e": _appends,
    b"l": _push(lambda machine: machine.to_mark()),
    b"s": _set_item,
    b"u": _set_items,
    b"d": _dict,
    b"\x90": _add_items,
    b"\x91": _push(lambda machine: frozenset(keys(machine.to_mark(), ()))),
    b"t": _push(lambda machine: tuple(machine.to_mark())),
    b"\x85": _tuple(1),
    b"\x86": _tuple(2),
    b"\x87": _tuple(3),
    b"p": _put(lambda machine: int(machine.stream.line()[:20])),
    b"q": _put(lambda machine: machine.stream.number(1)),
    b"r": _put(lambda machine: machine.stream.number(4)),
    b"\x94": _put(lambda machine: len(machine.memo)),
    b"g": _get(lambda machine: int(machine.stream.line()[:20])),
    b"h": _get(lambda machine: machine.stream.number(1)),
    b"j": _get(lambda machine: machine.stream.number(4)),
    b"c": _global,
    b"\x93": _stack_global,
    b"R": _reduce,
    b"\x81": _new_object,
    b"\x92": _new_object_by_name,
    b"i": _instance,
    b"o": _object,
    b"b": _build,
}


def _counted(step: _Step) -> _Step:
    def counted(machine: Machine) -> None:
        machine.made += 1
        step(machine)

    return counted


# What makes an object that can hold others: these cost most, in memory and in looking through them.
_TABLE.update(
    {code: _counted(_TABLE[code]) for code in map(bytes, zip(b"]}\x8fdlt\x85\x86\x87\x91R\x81\x92iob(", strict=False))}
)
