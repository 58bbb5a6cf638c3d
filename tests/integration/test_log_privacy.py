"""What the log must not tell: persons' numbers and what they press at the default level, secrets at any level."""

import pytest
from support.tokens import Key

PERSONAL = ("46705550101", "46705550102", "46705550103", "46705550104", "46705550105", "carlotta", "custom-value-77", "7391482")
SECRETS = ("pw-of-the-url", "token-in-query", "trunk-key-secret", "bearer-secret", "jwt-secret-of-at-least-32-characters")


@pytest.mark.parametrize("level", ["info", "debug"])
def test_calls_leave_no_personal_data_and_no_secrets_in_the_log(own_server, application, phone, called_phone, level):
    trunk = {"name": "carrier", "allow": ["127.0.0.0/8"], "key": SECRETS[2]}
    server = own_server({"log": {"level": level}}, trunks=[trunk],
                        more='[[domains]]\nname = "closed.example"\njwt_secret = "jwt-secret-of-at-least-32-characters"\n',
                        service={"bearer": SECRETS[3], "numbers": ["*"],
                                 "secondary_callback_url": "http://user:pw-of-the-url@127.0.0.1:9/x?t=token-in-query"})
    headers = (f"P-Asserted-Identity: \"Carlotta\" <sip:+{PERSONAL[0]}@c.example>\r\nDiversion: <sip:+{PERSONAL[1]}@c.example>\r\n"
               "X-Custom: custom-value-77\r\n")
    who = {"extra": headers + f"X-Trunk-Key: {SECRETS[2]}\r\n", "from_header": f"<sip:+{PERSONAL[2]}@c.example>"}

    # Without the key.
    assert phone(server, user=PERSONAL[3]).refused(extra=headers + "X-Trunk-Key: token-in-query\r\n").status == 403
    # An address that can't be called.
    application.replies["newCall"] = {"action": "call", "destAddr": f"sip:+{PERSONAL[4]}@bad host"}
    phone(server, user=PERSONAL[3]).refused(**who)
    application.wait_alarm(f"Invalid sip address: sip:+{PERSONAL[4]}@bad host")
    # Digits, in the IVR.
    application.replies["newCall"] = {"action": "ivr"}
    application.replies["getIvrCommand"] = [{"dtmf": {"maxDigits": 7, "encryption": {"type": "sha256", "salt": "s"}}}, {"hangup": True}]
    caller = phone(server, user=PERSONAL[3])
    caller.call(**who)
    caller.rtp.press(PERSONAL[7])
    caller.wait_request("BYE")
    # A monitor that can't be placed, a call that is refused, one of the API.
    callee = called_phone(server)
    application.replies["newCall"] = {"action": "call", "destAddr": callee.uri, "monitorDestAddr": f"tel:+{PERSONAL[4]}"}
    caller = phone(server, user=PERSONAL[3])
    caller.call(**who)
    callee.wait_request("ACK")
    caller.hang_up()
    server.post("placeivrcall", {"destAddr": f"sip:+{PERSONAL[4]}@127.0.0.1:9", "sipFrom": PERSONAL[0]})
    # Credentials that are no good.
    tokens = [Key("ES256").token(), Key("HS256").token(sub=PERSONAL[1]), Key("HS256", SECRETS[4]).token(exp=1), Key("HS256", SECRETS[4]).token(alg="none")]
    for token in tokens:
        for path in ("placeivrcall", f"placeivrcall?token={token}"):
            assert server.post(path, {}, domain="closed.example", headers={"Authorization": f"Bearer {token}"}).status == 401
    good = Key("HS256", SECRETS[4]).token()
    assert server.post("placeivrcall", {}, domain="closed.example", headers={"Authorization": f"Bearer {good}"}).status == 400, "else nothing was refused"
    # The application fails, at both of its URLs.
    application.replies["newCall"] = "not an object"
    phone(server, user=PERSONAL[3]).refused(**who)
    application.wait_for("sessionCompleted", 4)
    log = server.log()
    assert "call received" in log, "there is something to look at"
    assert [one for one in SECRETS if one in log] == []
    for token in (*tokens, good):
        assert [part for part in token.split(".") if part and part in log] == []
    if level == "info":
        assert [one for one in PERSONAL if one.lower() in log.lower()] == []
