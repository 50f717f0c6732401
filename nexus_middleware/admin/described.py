"""What a handler of the API is asked and answers, said beside it as types, for the description of the API."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from .answers import Answer

if TYPE_CHECKING:
    from .exchange import Exchange

Handler: TypeAlias = "Callable[[Exchange], Awaitable[Answer]]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """The types of one handler; `media` are the content types of answers that are no JSON."""

    answer: Any = None
    query: Any = None
    body: Any = None
    optional: bool = False  # the body may be left out
    media: tuple[str, ...] = ()
    example: Mapping[str, Any] | None = None


DESCRIPTIONS: dict[Handler, Description] = {}


def says(
    answer: Any = None,
    *,
    query: Any = None,
    body: Any = None,
    optional: bool = False,
    media: tuple[str, ...] = (),
    example: Mapping[str, Any] | None = None,
) -> Callable[[Handler], Handler]:
    """Describe a handler by types that msgspec makes JSON Schema of.

    Args:
        answer: The type of its JSON, of which fields are only ever added; None: it answers in `media` alone.
        query: A struct whose fields are the parameters of the query; one without a default is required.
        body: The type of what is sent.
        optional: Whether the body may be left out.
        media: Content types of answers that are no JSON.
        example: An answer.
    """
    told = Description(answer=answer, query=query, body=body, optional=optional, media=media, example=example)

    def keep(handler: Handler) -> Handler:
        DESCRIPTIONS[handler] = told
        return handler

    return keep
