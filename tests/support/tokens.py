"""JSON Web Tokens, as a customer would make them."""

import base64
import hashlib
import hmac
import json
import time

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils


def encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Key:
    """`kind`: RS256, ES256 or HS256."""

    def __init__(self, kind, secret="0123456789abcdef0123456789abcdef"):
        self.kind, self.secret = kind, secret
        if kind == "RS256":
            self.private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        elif kind == "ES256":
            self.private = ec.generate_private_key(ec.SECP256R1())

    def public_pem(self):
        return self.private.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)

    def private_pem(self):
        return self.private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())

    def sign(self, text):
        if self.kind == "HS256":
            return hmac.new(self.secret.encode(), text, hashlib.sha256).digest()
        if self.kind == "RS256":
            return self.private.sign(text, padding.PKCS1v15(), hashes.SHA256())
        r, s = utils.decode_dss_signature(self.private.sign(text, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    def jwk(self, **more):
        """The public key as a JSON Web Key."""
        numbers = self.private.public_key().public_numbers()

        def number(value, length=None):
            return encode(value.to_bytes(length or (value.bit_length() + 7) // 8, "big"))

        if self.kind == "RS256":
            return {"kty": "RSA", "n": number(numbers.n), "e": number(numbers.e), "use": "sig", **more}
        return {"kty": "EC", "crv": "P-256", "x": number(numbers.x, 32), "y": number(numbers.y, 32), "use": "sig", **more}

    def token(self, alg=None, kid=None, **claims):
        claims = {"exp": int(time.time()) + 300, **claims}
        claims = {name: value for name, value in claims.items() if value is not None}
        header = {"alg": alg or self.kind, "typ": "JWT", **({"kid": kid} if kid else {})}
        return self.token_of(json.dumps(header), json.dumps(claims), alg)

    def token_of(self, header, claims, alg=None):
        """Of texts, which are taken as they are."""
        text = encode(header.encode()) + "." + encode(claims.encode())
        return text + "." + encode(b"" if alg == "none" else self.sign(text.encode()))

    def header(self, **more):
        return {"Authorization": "Bearer " + self.token(**more)}


def claims_of(token):
    return json.loads(decode(token.split(".")[1]))
