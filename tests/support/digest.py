"""What a phone answers to a digest challenge (RFC 7616, RFC 8760)."""

import hashlib
import re

HASHES = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}


def challenges(response):
    """The challenges of a 401, by algorithm."""
    found = {}
    for line in response.all("WWW-Authenticate"):
        assert line.startswith("Digest ")
        one = {name: quoted or plain for name, quoted, plain in re.findall(r'(\w+)=(?:"([^"]*)"|([^",\s]+))', line)}
        found[one["algorithm"]] = one
    return found


def authorization(challenge, username, password, uri, count=1, method="INVITE"):
    """The line for the next request."""
    def digest(text):
        return HASHES[challenge["algorithm"]](text.encode()).hexdigest()

    nc = f"{count:08x}"
    secret = digest(f"{username}:{challenge['realm']}:{password}")
    response = digest(f"{secret}:{challenge['nonce']}:{nc}:0a4f113b:auth:{digest(f'{method}:{uri}')}")
    return (f'Authorization: Digest username="{username}", realm="{challenge["realm"]}", nonce="{challenge["nonce"]}", uri="{uri}", '
            f'response="{response}", algorithm={challenge["algorithm"]}, cnonce="0a4f113b", qop=auth, nc={nc}\r\n')
