"""The parts of openapi/ringwright.yaml that docs/api-coverage.md has a row for, and which of them a message has."""

import json
import os


def name_of(key):
    """YAML takes `on` and `off` for truth values."""
    return {True: "on", False: "off"}.get(key, key)


def operations(document):
    """"POST /{domain}/placeivrcall"; the preflights are one kind of answer for all paths."""
    return [f"{method.upper()} {path}" for path, item in document["paths"].items()
            for method in item if method in ("get", "put", "post", "patch", "delete")]


def webhooks(document):
    return list(document["webhooks"])


def members(document):
    """"NewCallRequest.calledParty", "Phrase.text": each member of each named schema, those of nested objects included."""
    found = []

    def visit(owner, rule):
        for name, inner in rule.get("properties", {}).items():
            path = f"{owner}.{name_of(name)}"
            if path not in found:
                found.append(path)
            visit(path, inner if isinstance(inner, dict) else {})
        for part in [*rule.get("allOf", []), *rule.get("oneOf", []), *rule.get("anyOf", []), *([rule["items"]] if "items" in rule else [])]:
            if isinstance(part, dict) and "$ref" not in part:
                visit(owner, part)

    for name, rule in document["components"]["schemas"].items():
        visit(name, rule)
    return found


def members_of(document, rule, body):
    """Which of them a message has that follows `rule`."""
    found = set()

    def visit(owner, rule, value):
        if not isinstance(rule, dict):
            return
        if "$ref" in rule:
            name = rule["$ref"].rsplit("/", 1)[-1]
            visit(name, document["components"]["schemas"][name], value)
            return
        for part in [*rule.get("allOf", []), *rule.get("oneOf", []), *rule.get("anyOf", [])]:
            visit(owner, part, value)
        if isinstance(value, list):
            for item in value:
                visit(owner, rule.get("items", {}), item)
        if isinstance(value, dict):
            for key, inner in rule.get("properties", {}).items():
                if name_of(key) in value:
                    found.add(f"{owner}.{name_of(key)}")
                    visit(f"{owner}.{name_of(key)}", inner, value[name_of(key)])

    visit("", rule, body)
    return found


def trace(what):
    """Notes which test had to do with what: for scripts/api-coverage."""
    file = os.environ.get("RINGWRIGHT_API_TRACE")
    if file and what:
        test = os.environ.get("PYTEST_CURRENT_TEST", "").split(" ")[0]
        with open(file, "a") as out:
            out.write(json.dumps([test, sorted(what)]) + "\n")
