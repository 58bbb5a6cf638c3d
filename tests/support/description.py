"""openapi/ringwright.yaml, as the judge of what is really sent: by the server and to it."""

import json
import pathlib
import re

import jsonschema
import yaml

from . import api_members

ROOT = pathlib.Path(__file__).resolve().parents[2]


class Description:
    def __init__(self):
        self.document = yaml.safe_load((ROOT / "openapi" / "ringwright.yaml").read_text())
        self.validators = {}
        self.paths = [(re.compile("/" + "/".join("[^/]+" if part.startswith("{") else re.escape(part) for part in path.strip("/").split("/"))), item)
                      for path, item in sorted(self.document["paths"].items(), key=lambda one: one[0].count("{"))]

    def check(self, schema, body):
        """Against one of the named schemas."""
        if schema not in self.validators:
            rule = {"$ref": f"#/components/schemas/{schema}", "components": self.document["components"]}
            self.validators[schema] = jsonschema.Draft202012Validator(rule, format_checker=jsonschema.FormatChecker())
        self.validators[schema].validate(body)
        self.trace({"$ref": f"#/components/schemas/{schema}"}, body)

    def trace(self, rule, body, *also):
        """For docs/api-coverage.md: what a message has to do with."""
        api_members.trace(api_members.members_of(self.document, rule, body) | set(also))

    def check_rule(self, rule, body):
        jsonschema.Draft202012Validator({"allOf": [rule], "components": self.document["components"]},
                                        format_checker=jsonschema.FormatChecker()).validate(body)
        self.trace(rule, body)

    def resolve(self, node):
        while "$ref" in node:
            target = self.document
            for part in node["$ref"].removeprefix("#/").split("/"):
                target = target[part]
            node = target
        return node

    def operation(self, method, path):
        path = path.split("?")[0]
        item = next((item for pattern, item in self.paths if pattern.fullmatch(path)), None)
        return None if item is None else item.get(method.lower())

    def trace_operation(self, method, operation):
        path = next(path for path, item in self.document["paths"].items() if item.get(method.lower()) is operation)
        self.trace({}, None, f"{method} {path}")

    def trace_callback(self, event, reply):
        """A callback that was asked, and what it was answered."""
        content = self.document["webhooks"].get(event, {}).get("post", {}).get("responses", {}).get("200", {}).get("content", {})
        self.trace(content.get("application/json", {}).get("schema", {}), reply, event)

    def check_request(self, method, path, body):
        """A request that the server has taken must be as described."""
        operation = self.operation(method, path)
        content = self.resolve(operation.get("requestBody", {})).get("content", {}).get("application/json")
        if content:
            self.check_rule(content["schema"], body)

    def check_answer(self, method, path, answer):
        """Every answer: its status is one of the described ones, and so are its headers and its body."""
        assert answer.headers["Access-Control-Allow-Origin"], "no Access-Control-Allow-Origin"
        operation = self.operation(method, path)
        if operation is None:
            assert answer.status in (400, 404, 405), f"{method} {path} is not described, and was answered {answer.status}"
            self.check("ErrorBody", json.loads(answer.raw))
            return
        response = operation["responses"].get(str(answer.status))
        assert response, f"{method} {path}: the status {answer.status} is not described"
        response = self.resolve(response)
        if 200 <= answer.status < 300:
            self.trace_operation(method, operation)
        for name in response.get("headers", {}):
            assert answer.headers[name] is not None, f"{method} {path}: the header {name} is missing"
        found = answer.headers["Content-Type"].split(";")[0]
        kinds = response["content"]
        kind = next((one for one in kinds if one in (found, found.split("/")[0] + "/*", "*/*")), None)
        assert kind, f"{method} {path}: the content type {found} is not described"
        if kind == "application/json":
            self.check_rule(kinds[kind]["schema"], json.loads(answer.raw))
