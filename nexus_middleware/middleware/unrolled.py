"""A chain's steps written out one after another, as a function of its own, for the way that nearly every request goes.

The interpreter makes a call fast where it has met one function alone (PEP 659). In a loop over steps it meets another
each time round; here each step has a line to itself. The loops in `Passage` say what these functions do, and take over
where a request goes another way: as soon as a step says something, and for the store's answers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

Step: TypeAlias = Callable[..., Any]


def go_in(steps: Sequence[tuple[int, int, Step]], innermost: int, *, waits: bool) -> Callable[[Any], Any]:
    """Return `go_in(passage)`: run the steps that need nothing but the request; what it returns is as of `advance`.

    Args:
        steps: Each one's place in the chain's plan, whose it is, and what to call.
        innermost: The number of the chain's last layer.
        waits: Whether there are more steps, behind a question to the store.
    """
    lines = ["request, i = passage.request, 0", "try:"]
    for n, (at, i, _) in enumerate(steps):
        lines += [
            f"    i = {i}",
            f"    if (said := step_{n}(request, None)) is not None and passage.stops({at}, {i}, said):",
            "        return said",
        ]
    lines += ["    pass", "except BaseException:", "    passage.fell(i)", "    raise"]
    if waits:
        lines += [f"passage.at = {len(steps)}", "return passage.advance()"]
    else:
        lines += [f"passage.depth = {innermost}", "return None"]
    return _made("passage", lines, [step for *_, step in steps])


def go_out(steps: Sequence[tuple[int, Step]], innermost: int) -> Callable[[Any, Any], bool]:
    """Return `go_out(passage, head)`: run the `after` steps of all layers; what it returns is as of `dress`."""
    lines = [
        f"if passage.depth != {innermost} or passage.flow is not None:",
        "    return passage.dress(head)",
        "request = passage.request",
    ]
    for n in range(len(steps)):
        lines += [
            f"if (said := step_{n}(request, head)) is not None:",
            f"    return passage.dress(head, {n}, said)",
        ]
    return _made("passage, head", [*lines, "passage.status = head.status", "return True"], [step for _, step in steps])


def end(steps: Sequence[tuple[int, Step]]) -> Callable[[Any, int], list[Any] | None]:
    """Return `end(request, status)`: run the `done` steps of all layers; what the store shall do then, if anything."""
    lines = ["commands = None"]
    for n in range(len(steps)):
        lines += [
            f"if (command := step_{n}(request, status)) is not None:",
            "    commands = [*(commands or ()), command]",
        ]
    return _made("request, status", [*lines, "return commands"], [step for _, step in steps])


def _made(arguments: str, lines: list[str], steps: Sequence[Step]) -> Callable[..., Any]:
    source = "\n    ".join([f"def made({arguments}):", *lines])
    names: dict[str, Any] = {f"step_{n}": step for n, step in enumerate(steps)}
    exec(compile(source, "<the steps of a chain>", "exec"), names)  # noqa: S102  # of our own words and numbers alone
    made: Callable[..., Any] = names["made"]
    return made
