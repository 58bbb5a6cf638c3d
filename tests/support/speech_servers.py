"""Speech engines of our own making: Polly, Google and one behind POST /v1/audio/speech. They speak tones, check what they are asked as
the real ones do, and misbehave when told."""

import base64
import hashlib
import hmac
import json
import pathlib
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from .rtp_peer import sine
from .tokens import decode

NODE = pathlib.Path(__file__).resolve().parents[1] / "node"


class SpeechServer:
    """`say(body)` returns status, headers and the bytes of an answer. `fault`: in its place, once or (`faults > 1`) more often."""

    def __init__(self):
        self.requests, self.fault, self.faults = [], None, 0
        self.changed = threading.Condition()
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with owner.changed:
                    owner.requests.append((self.path, dict(self.headers), body))
                    owner.changed.notify_all()
                    faulty = owner.faults > 0
                    owner.faults -= faulty
                status, headers, content = owner.fault(self.path, body) if faulty else owner.answer(self.path, self.headers, body)
                self.send_response_only(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                if "Content-Length" not in headers:
                    self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)
                if "Content-Length" in headers:
                    self.close_connection = True

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def misbehave(self, fault, times=1):
        self.fault, self.faults = fault, times

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def linear(hertz, seconds=1.0, rate=16000):
    return sine(hertz, seconds, rate=rate).astype("<i2").tobytes()


class Polly(SpeechServer):
    """Says 700 Hz, as PCM. What is wrong with a request is refused as Polly does it; `problems` keeps it too."""

    key_id, secret, region = "AKIDPOLLY", "secret+/of=Polly", "eu-north-1"

    def __init__(self):
        super().__init__()
        self.problems = []

    def answer(self, path, headers, body):
        problem = self.check(path, headers, body)
        if problem:
            self.problems.append(problem)
            return 403, {"x-amzn-ErrorType": "InvalidSignatureException", "Content-Type": "application/json"}, json.dumps({"message": problem}).encode()
        asked = json.loads(body)
        if asked["OutputFormat"] != "pcm":
            return 400, {"x-amzn-ErrorType": "InvalidParameterException"}, b'{"message":"this one only speaks PCM"}'
        return 200, {"Content-Type": "audio/pcm"}, linear(700, rate=int(asked.get("SampleRate", 16000)))

    def check(self, path, headers, body):
        if path != "/v1/speech":
            return f"path {path}"
        asked = json.loads(body)
        for name in ("OutputFormat", "Text", "VoiceId"):
            if not isinstance(asked.get(name), str):
                return f"{name} is missing or no string"
        authorization = headers["Authorization"]
        fields = dict(one.strip().split("=", 1) for one in authorization.removeprefix("AWS4-HMAC-SHA256 ").split(","))
        key_id, day, region, service, end = fields["Credential"].split("/")
        if (key_id, region, service, end) != (self.key_id, self.region, "polly", "aws4_request"):
            return f"credential {fields['Credential']}"
        names = fields["SignedHeaders"].split(";")
        if "host" not in names or "x-amz-date" not in names:
            return f"signed headers {names}"
        canonical = "\n".join(["POST", path, "", *(f"{name}:{' '.join(headers[name].split())}" for name in names), "", ";".join(names), hashlib.sha256(body).hexdigest()])
        date = headers["x-amz-date"]
        to_sign = "\n".join(["AWS4-HMAC-SHA256", date, f"{day}/{region}/{service}/aws4_request", hashlib.sha256(canonical.encode()).hexdigest()])
        key = ("AWS4" + self.secret).encode()
        for part in (day, region, service, "aws4_request"):
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        if hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest() != fields["Signature"]:
            return "the signature is wrong"
        return None

    def signed_by_the_sdk(self, request):
        """The Authorization header that the AWS SDK makes for the same request."""
        path, headers, body = request
        date = headers["x-amz-date"]
        names = dict(one.strip().split("=", 1) for one in headers["Authorization"].removeprefix("AWS4-HMAC-SHA256 ").split(","))["SignedHeaders"]
        lower = {name.lower(): value for name, value in headers.items()}
        signed = {name: lower[name] for name in names.split(";") if name != "x-amz-date"}
        text = f"{date[:4]}-{date[4:6]}-{date[6:11]}:{date[11:13]}:{date[13:]}"
        job = {"keyId": self.key_id, "secret": self.secret, "region": self.region, "service": "polly", "date": text, "method": "POST", "path": path,
               "headers": signed, "body": body.decode()}
        return subprocess.run(["node", str(NODE / "sign.mjs")], input=json.dumps(job), capture_output=True, text=True, timeout=60, check=True, cwd=NODE).stdout


class Google(SpeechServer):
    """Says 800 Hz. Takes the tokens that its own token endpoint has given for an assertion with the account's signature."""

    def __init__(self):
        super().__init__()
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.tokens = {}
        self.life = 3600

    def credentials(self):
        pem = self.key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()
        return {"type": "service_account", "client_email": "speaker@example.iam", "private_key_id": "k1", "private_key": pem, "token_uri": self.url + "/token"}

    def answer(self, path, headers, body):
        if path == "/token":
            return self.give_token(body)
        if path != "/v1/text:synthesize":
            return 404, {}, b"{}"
        token = headers.get("Authorization", "").removeprefix("Bearer ")
        if token not in self.tokens or self.tokens[token] < time.time():
            return 401, {}, b'{"error":{"code":401,"status":"UNAUTHENTICATED","message":"no valid token"}}'
        asked = json.loads(body)
        assert asked["voice"] and (asked["input"].get("text") or asked["input"].get("ssml"))
        encoding, rate = asked["audioConfig"]["audioEncoding"], asked["audioConfig"].get("sampleRateHertz", 24000)
        if encoding != "LINEAR16":
            return 400, {}, b'{"error":{"code":400,"status":"INVALID_ARGUMENT","message":"only LINEAR16"}}'
        content = wav(linear(800, rate=rate), rate)
        return 200, {}, json.dumps({"audioContent": base64.b64encode(content).decode()}).encode()

    def give_token(self, body):
        fields = dict(one.split("=", 1) for one in body.decode().split("&"))
        assert fields["grant_type"] == "urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer"
        head, claims, signature = fields["assertion"].split(".")
        self.key.public_key().verify(decode(signature), f"{head}.{claims}".encode(), padding.PKCS1v15(), hashes.SHA256())
        told = json.loads(decode(claims))
        assert told["iss"] == "speaker@example.iam" and told["aud"] == self.url + "/token" and told["exp"] > time.time()
        token = f"token{len(self.tokens)}"
        self.tokens[token] = time.time() + self.life
        return 200, {}, json.dumps({"access_token": token, "expires_in": self.life, "token_type": "Bearer"}).encode()


class HttpSpeech(SpeechServer):
    """Says 1000 Hz for each request, as WAV."""

    def answer(self, path, headers, body):
        asked = json.loads(body)
        if path != "/v1/audio/speech" or headers.get("Authorization") != "Bearer key-of-the-engine":
            return 401, {}, b'{"error":{"message":"who are you?"}}'
        assert asked["model"] == "neural-1" and asked["response_format"] == "wav" and asked["input"]
        return 200, {"Content-Type": "audio/wav"}, wav(linear(1000, 0.6, 24000), 24000)


def wav(samples, rate):
    header = b"RIFF" + (36 + len(samples)).to_bytes(4, "little") + b"WAVEfmt " + (16).to_bytes(4, "little") + b"\1\0\1\0"
    header += rate.to_bytes(4, "little") + (rate * 2).to_bytes(4, "little") + b"\2\0\x10\0data" + len(samples).to_bytes(4, "little")
    return header + samples
