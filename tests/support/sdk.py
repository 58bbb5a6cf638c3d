"""Requests that the AWS SDK for JavaScript has signed."""

import json
import subprocess
import time

from .server import ROOT


class AccessKey:
    def __init__(self, key_id, secret, region="eu-north-1"):
        self.id, self.secret, self.region = key_id, secret, region

    def toml(self):
        return {"id": self.id, "secret": self.secret, "region": self.region}

    def request(self, path, body="{}", seconds=0, **more):
        """`seconds`: how far the client's clock is off; `more`: see tests/node/signed_requests.mjs."""
        return {"keyId": self.id, "secret": self.secret, "region": self.region, "service": "execute-api", "date": (time.time() + seconds) * 1000,
                "method": "POST", "path": path, "headers": {"content-type": "application/json"}, "body": body, **more}


class SignedAnswer:
    def __init__(self, answer):
        self.status, self.headers, self.body = answer["status"], answer["headers"], answer["body"]


def send(url, *requests):
    """All of them, one after the other; their answers."""
    done = subprocess.run(["node", "signed_requests.mjs"], cwd=ROOT / "tests" / "node", input=json.dumps({"url": url, "requests": requests}),
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return [SignedAnswer(one) for one in json.loads(done.stdout)]
