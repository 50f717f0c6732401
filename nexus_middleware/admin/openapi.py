"""The description of the API in OpenAPI 3.1, made of its table of addresses and of the types beside its handlers."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from .described import DESCRIPTIONS, Description
from .download import FORMATS
from .resource import Action, Resource
from .shapes import Problem

REF = "#/components/schemas/{name}"
NAME = re.compile(r"\{(\w+)(?::path)?\}")
NOTHING = Description(answer=dict[str, Any])
ABOUT = (
    "Fields are only ever added: ignore those that you do not know. What an address needs is its right, `x-right`. "
    "Errors are problem+json with a stable `code`."
)


def document(resources: Mapping[str, Resource]) -> dict[str, Any]:
    """Return the description of `resources`.

    >>> from nexus_middleware.admin.api import RESOURCES
    >>> made = document(RESOURCES)
    >>> made["openapi"], made["paths"]["/health"]["get"]["x-right"]
    ('3.1.0', 'view')
    """
    told = {action.run: DESCRIPTIONS.get(action.run, NOTHING) for _, _, action in _actions(resources)}
    types = [kind for each in told.values() for kind in (each.answer, each.query, each.body) if kind is not None]
    unique = list(dict.fromkeys([Problem, *types]))
    schemas, components = msgspec.json.schema_components(unique, ref_template=REF)
    by_type = dict(zip(unique, schemas, strict=True))
    queries = {each.query.__name__ for each in told.values() if each.query is not None}
    paths: dict[str, Any] = {}
    for path, method, action in _actions(resources):
        shown = paths.setdefault(NAME.sub(r"{\1}", path), {})
        shown[method.lower()] = _operation(path, method, action, told[action.run], by_type, components)
    return {
        "openapi": "3.1.0",
        "info": {"title": "nexus_middleware", "version": "1", "description": ABOUT},
        "servers": [{"url": "/api/infrastructure"}],
        "security": [{"bearer": []}, {"key": []}],
        "paths": paths,
        "components": {
            "schemas": {name: _open(each) for name, each in components.items() if name not in queries},
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
            },
        },
    }


def undescribed(resources: Mapping[str, Resource]) -> list[str]:
    """Return a line for each handler that says nothing of its answers."""
    return [
        f"{method} {path}: put @says(…) on {action.run.__module__}.{action.run.__qualname__}"
        for path, method, action in _actions(resources)
        if action.run not in DESCRIPTIONS
    ]


def _actions(resources: Mapping[str, Resource]) -> Iterator[tuple[str, str, Action]]:
    for path, resource in resources.items():
        for method, action in resource.actions.items():
            yield path, method, action


def _operation(
    path: str, method: str, action: Action, told: Description, schemas: Mapping[Any, Any], components: Mapping[str, Any]
) -> dict[str, Any]:
    parameters = [_in_path(name) for name in NAME.findall(path)]
    if told.query is not None:
        parameters += _in_query(components[told.query.__name__])
    content = _content(told, schemas)
    if method == "GET" and not told.media and "nextCursor" in _fields(schemas.get(told.answer), components):
        parameters.append({"name": "download", "in": "query", "required": False, "schema": {"enum": [*FORMATS]}})
        content = {**content, "text/csv": {"schema": {"type": "string"}}}
    answers: dict[str, Any] = {"200": {"description": "What was asked for", "content": content}}
    if method == "GET" and told.answer is not None:
        answers["304"] = {"description": "What If-None-Match names is still so"}
    problem = {"application/problem+json": {"schema": schemas[Problem]}}
    answers["4XX"] = {"description": "Why not", "content": problem}
    answers["503"] = {"description": "The store does not answer", "content": problem}
    operation: dict[str, Any] = {
        "summary": (inspect.getdoc(action.run) or "").partition("\n")[0],
        "operationId": f"{method.lower()}{NAME.sub('', path).replace(':path', '')}".replace("//", "/"),
        "parameters": parameters,
        "responses": answers,
        "x-right": action.right,
    }
    if told.body is not None:
        content = {"application/json": {"schema": schemas[told.body]}}
        operation["requestBody"] = {"required": not told.optional, "content": content}
    if not action.right:
        operation["security"] = []
    return operation


def _content(told: Description, schemas: Mapping[Any, Any]) -> dict[str, Any]:
    content: dict[str, Any] = {media: {"schema": {"type": "string"}} for media in told.media}
    if told.answer is not None:
        example = {} if told.example is None else {"examples": {"usual": {"value": told.example}}}
        content = {"application/json": {"schema": schemas[told.answer], **example}, **content}
    return content


def _fields(schema: Mapping[str, Any] | None, components: Mapping[str, Any]) -> Mapping[str, Any]:
    name = (schema or {}).get("$ref", "").rpartition("/")[2]
    return components.get(name, {}).get("properties", {})  # type: ignore[no-any-return]


def _in_path(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}


def _in_query(schema: Mapping[str, Any]) -> list[dict[str, Any]]:
    required = schema.get("required", [])
    return [
        {"name": name, "in": "query", "required": name in required, "schema": each}
        for name, each in schema["properties"].items()
    ]


def _open(schema: Any) -> Any:
    """Return it with a word on each object that more fields may come."""
    if schema.get("type") == "object":
        return {"additionalProperties": True, **schema}
    return schema
