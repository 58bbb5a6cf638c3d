"""The callback client: time-outs, retries, the secondary application, keep-alive, signatures, and the peace between domains."""

import base64
import hashlib
import json
import socket
import ssl
import subprocess
import time

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, utils
from support.application import Application, Raw
from support.tokens import Key, claims_of, decode

DROP = {"action": "drop"}


@pytest.fixture
def another_application():
    """Makes further applications; they are closed at the end."""
    made = []

    def make():
        made.append(Application())
        return made[-1]

    yield make
    for one in made:
        one.close()
    assert [one.problems for one in made] == [[]] * len(made)


@pytest.fixture
def closed_port():
    """A port of this machine that nobody listens on, and nobody else takes meanwhile."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1]


def transactions(application, event):
    return [one.body["httpTransactionId"] for one in application.events(event)]


# ---- questions


@pytest.mark.short
@pytest.mark.parametrize("failure", [Raw(status=500), Raw(status=503), Raw(status=429), Raw(close=True)])
def test_a_passing_failure_is_tried_again(server, application, phone, failure):
    application.replies["newCall"] = [failure, failure, DROP]
    assert phone().refused().status == 603
    application.completed("rejected")
    assert len(transactions(application, "newCall")) == 3
    assert len(set(transactions(application, "newCall"))) == 1, "retries of one request keep its httpTransactionId"
    assert application.events("alarms") == []


@pytest.mark.parametrize("status", [400, 403, 404, 410])
def test_a_refusal_is_not_tried_again(server, application, phone, status):
    application.replies["newCall"] = Raw(status=status)
    assert phone().refused().status == 480
    assert application.wait_alarm("newCall request failed")["errorDetails"]["status"] == status
    application.completed("error")
    assert len(application.events("newCall")) == 1


def test_after_three_tries_it_has_failed(server, application, phone):
    application.replies["newCall"] = Raw(status=500)
    answer = phone().refused()
    assert answer.status == 480 and answer.header("Retry-After")
    details = application.wait_alarm("newCall request failed")["errorDetails"]
    assert details["status"] == 500 and details["url"] == application.url + "/newCall"
    application.completed("error")
    assert len(application.events("newCall")) == 3


def test_the_number_of_tries_is_configurable(own_server, application, phone):
    server = own_server({"callbacks": {"retries": 0}})
    application.replies["newCall"] = Raw(status=500)
    assert phone(on=server).refused().status == 480
    application.completed("error")
    assert len(application.events("newCall")) == 1


def test_an_answer_that_does_not_come_is_tried_again(own_server, application, phone):
    server = own_server({"callbacks": {"answer_timeout": 0.5, "connect_timeout": 0.5, "total_timeout": 30.0}})
    application.replies["newCall"] = [Raw(hold=20), DROP]
    assert phone(on=server).refused().status == 603
    application.completed("rejected")
    assert len(application.events("newCall")) == 2


def test_the_whole_of_the_tries_has_a_limit(own_server, application, phone):
    server = own_server({"callbacks": {"answer_timeout": 0.5, "connect_timeout": 0.5, "total_timeout": 1.5, "retries": 20}})
    application.replies["newCall"] = Raw(hold=20)
    begun = time.monotonic()
    assert phone(on=server).refused().status == 480
    assert time.monotonic() - begun >= 0.4
    application.wait_alarm("newCall request failed")
    application.released.set()
    application.completed("error")
    assert len(application.events("newCall")) <= 4, "not all the tries that would be allowed"


def test_the_secondary_is_asked_when_the_first_can_not_be_reached(own_server, application, phone, closed_port):
    server = own_server(service={"callback_url": f"http://127.0.0.1:{closed_port}", "secondary_callback_url": application.url})
    application.replies["newCall"] = DROP
    assert phone(on=server).refused().status == 603
    application.completed("rejected")
    assert len(application.events("newCall")) == 1
    assert len(application.events("sessionCompleted")) == 1


def test_the_secondary_is_asked_when_the_first_fails_and_the_first_again_for_the_next_call(own_server, application, phone, another_application):
    second = another_application()
    server = own_server(service={"secondary_callback_url": second.url})
    application.replies["newCall"] = [Raw(status=500), Raw(status=500), Raw(status=500), DROP]
    second.replies["newCall"] = {"action": "drop", "dropCode": "busy"}
    assert phone(on=server).refused().status == 486
    assert phone(on=server).refused().status == 603
    application.wait_for("sessionCompleted", 2)
    assert len(second.events("newCall")) == 1
    assert transactions(second, "newCall")[0] == transactions(application, "newCall")[0]


def test_both_applications_away_is_a_failure(own_server, application, phone, closed_port):
    server = own_server(service={"callback_url": f"http://127.0.0.1:{closed_port}", "secondary_callback_url": f"http://127.0.0.1:{closed_port}"})
    answer = phone(on=server).refused()
    assert answer.status == 480 and answer.header("Retry-After")
    details = application.wait_alarm("newCall request failed")["errorDetails"]
    assert str(closed_port) in details["url"] and details["description"]


def test_an_answer_over_a_megabyte_is_a_failure(server, application, phone):
    application.replies["newCall"] = Raw(body=b'{"action":"ivr","x":"' + b"y" * (1 << 20) + b'"}')
    assert phone().refused().status == 480
    application.wait_alarm("newCall request failed")
    application.completed("error")


def test_connections_are_kept(own_server, application, phone):
    server = own_server()
    application.replies["newCall"] = DROP
    for number in range(6):
        assert phone(on=server).refused().status == 603
        application.wait_for("sessionCompleted", number + 1)
    assert application.connections <= 3, "one for questions, one for notifications, and one for luck"


def test_a_connection_that_the_application_has_closed_is_no_failure(own_server, application, phone):
    server = own_server()
    application.replies["newCall"] = DROP
    application.replies["sessionCompleted"] = {"x": 1}
    assert phone(on=server).refused().status == 603
    application.completed("rejected")
    application.replies["newCall"] = [Raw(close=True), DROP]
    assert phone(on=server).refused().status == 603
    application.wait_for("sessionCompleted", 2)


# ---- notifications


def test_a_notification_is_repeated_until_it_is_delivered_in_order(server, application, phone):
    application.replies["callAnswered"] = [Raw(status=503), {}]
    application.replies["getIvrCommand"] = {"hangup": True}
    caller = phone()
    caller.call()
    caller.wait_request("BYE")
    application.completed("normal")
    names = [one.event for one in application.requests if one.event in ("callAnswered", "sessionCompleted")]
    assert names == ["callAnswered", "callAnswered", "sessionCompleted"]
    assert len(set(transactions(application, "callAnswered"))) == 1


def test_a_refused_notification_is_given_up(server, application, phone):
    application.replies["callAnswered"] = Raw(status=400)
    application.replies["getIvrCommand"] = {"hangup": True}
    caller = phone()
    caller.call()
    caller.wait_request("BYE")
    application.completed("normal")
    assert len(application.events("callAnswered")) == 1


def test_alarms_do_not_hold_up_notifications(own_server, application, phone, closed_port):
    server = own_server(service={"alarm_url": f"http://127.0.0.1:{closed_port}/alarms"})
    application.replies["newCall"] = Raw(status=404)
    assert phone(on=server).refused().status == 480
    application.completed("error")


# ---- peace between domains


@pytest.mark.short
def test_a_dead_application_of_one_domain_does_not_delay_another(own_server, application, phone, another_application):
    slow = another_application()
    slow.replies["newCall"] = Raw(hold=60)
    more = "\n".join(["[[domains]]", 'name = "slow.example"', 'auth = "none"', "[[domains.mediaservices]]", 'id = "slow"', 'numbers = ["*"]',
                      f'callback_url = "{slow.url}"', f'alarm_url = "{slow.url}/alarms"', ""])
    server = own_server({"callbacks": {"answer_timeout": 50.0, "total_timeout": 60.0}}, more=more)
    waiting = [phone(on=server, domain="slow.example") for _ in range(40)]
    for one in waiting:
        one.invite()
    slow.wait_for("newCall", 40, timeout=60)
    application.replies["getIvrCommand"] = {"hangup": True}
    for number in range(3):
        caller = phone(on=server)
        caller.call()
        caller.wait_request("BYE")
        application.wait_for("sessionCompleted", number + 1)
    assert {one.state for one in waiting} == {"calling"}, "the others are still being decided about"
    slow.released.set()


@pytest.mark.parametrize("same_host", [False, True])
def test_many_questions_that_hang_take_nothing_from_another_domain(own_server, application, phone, another_application, same_host):
    slow = application if same_host else another_application()
    more = "\n".join(["[[domains]]", 'name = "slow.example"', 'auth = "none"', "[[domains.mediaservices]]", 'id = "slow"', 'numbers = ["*"]',
                      f'callback_url = "{slow.url}/slow"', f'alarm_url = "{slow.url}/alarms"', ""])
    server = own_server({"callbacks": {"answer_timeout": 50.0, "total_timeout": 60.0}, "limits": {"calls_per_second": 1000}}, more=more)
    slow.replies["newCall"] = lambda body: Raw(hold=60) if body["domain"] == "slow.example" else {"action": "ivr"}
    waiting = [phone(on=server, domain="slow.example") for _ in range(150)]
    for one in waiting:
        one.invite()
    slow.wait_for("newCall", 128, timeout=60)
    application.replies["getIvrCommand"] = {"hangup": True}
    caller = phone(on=server)
    caller.call()
    caller.wait_request("BYE")
    application.wait_for("sessionCompleted")
    assert {one.state for one in waiting} == {"calling"}, "the others are still being decided about"
    slow.replies["newCall"] = DROP
    slow.released.set()


# ---- who is speaking


def authorisation(request):
    return request.headers["Authorization"].split(" ", 1)


def verify(key, text, signature):
    public = key.private.public_key()
    if key.kind == "RS256":
        public.verify(signature, text, padding.PKCS1v15(), hashes.SHA256())
    else:
        assert len(signature) == 64
        pair = utils.encode_dss_signature(int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big"))
        public.verify(pair, text, ec.ECDSA(hashes.SHA256()))


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
def test_requests_are_signed(own_server, application, phone, tmp_path, algorithm):
    key = Key(algorithm)
    (tmp_path / "key.pem").write_bytes(key.private_pem())
    server = own_server(service={"signing_key": str(tmp_path / "key.pem")})
    application.replies["newCall"] = [Raw(status=500), DROP]
    assert phone(on=server).refused().status == 603
    application.completed("rejected")
    tickets = []
    for request in application.requests:
        scheme, token = authorisation(request)
        assert scheme == "Bearer"
        text, _, signature = token.rpartition(".")
        verify(key, text.encode(), decode(signature))
        assert json.loads(decode(text.split(".")[0]))["alg"] == algorithm
        claims = claims_of(token)
        assert claims["exp"] == claims["iat"] + 60 and abs(claims["iat"] - time.time()) < 60 and claims["iss"]
        assert claims["body_sha256"] == hashlib.sha256(request.raw).hexdigest()
        tickets.append(claims["jti"])
    assert len(set(tickets)) == len(tickets) == 3, "new for each try"


@pytest.mark.parametrize("settings,expected", [
    ({"basic": "user:password"}, ["Basic", base64.b64encode(b"user:password").decode()]),
    ({"bearer": "fixed-token"}, ["Bearer", "fixed-token"]),
])
def test_requests_carry_the_configured_credentials(own_server, application, phone, settings, expected):
    server = own_server(service=settings)
    application.replies["newCall"] = DROP
    assert phone(on=server).refused().status == 603
    application.completed("rejected")
    assert [authorisation(one) for one in application.requests] == [expected] * 2
    assert expected[1] not in server.log()


def test_site_members_appear_only_when_configured(own_server, server, application, phone):
    application.replies["newCall"] = DROP
    site = own_server({"server": {"site_id": "siteA", "site_base_url": "https://a.example"}})
    phone(on=server).refused()
    phone(on=site).refused()
    application.wait_for("sessionCompleted", 2)
    bodies = [one.body for one in application.events("newCall")]
    assert "siteId" not in bodies[0] and "siteBaseUrl" not in bodies[0]
    assert (bodies[1]["siteId"], bodies[1]["siteBaseUrl"]) == ("siteA", "https://a.example")


SITE = {"siteId": "siteA", "siteBaseUrl": "https://a.example"}


def test_the_site_is_in_every_callback(own_server, application, phone, called_phone, calls):
    server = own_server({"server": {"site_id": SITE["siteId"], "site_base_url": SITE["siteBaseUrl"]}}, service={"identify_calls": True},
                        domain_keys={"devices": ["door"]})
    message = {"format": "record", "fileName": "message.wav", "beep": False, "maxDuration": 0.3}
    application.replies["getIvrCommand"] = {"phrases": [message, {"fileName": "nothing"}], "recordedCallback": True, "hangup": True}
    caller = phone(server)
    caller.call()
    caller.wait_request("BYE")
    callee = called_phone(server)
    application.replies["newCall"] = calls(callee, callRecording=True)
    caller = phone(server)
    caller.call()
    application.wait_for("callAnswered", 2)
    callee.hang_up()
    caller.wait_request("BYE")
    caller = phone(server, user="door")
    caller.invite()
    application.wait_for("newRemoteCall")
    caller.cancel()
    caller.wait_final()
    caller.ack_refusal()
    wanted = {"alarms" if name == "alarm" else name for name in application.description.document["webhooks"]}
    for name in wanted:
        application.wait_for(name)
    told = {one.event: {name: one.body.get(name) for name in SITE} for one in application.requests}
    assert told == dict.fromkeys(wanted, SITE)


@pytest.fixture
def certificates(tmp_path):
    """A certificate authority of the test's own; makes certificates that it has signed: their files."""
    def openssl(*arguments):
        subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, cwd=tmp_path)

    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", 2, "-subj", "/CN=test authority", "-keyout", "ca.key", "-out", "ca.pem")

    def make(name):
        (tmp_path / "names").write_text("subjectAltName=IP:127.0.0.1")
        openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.csr")
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", 2, "-extfile", "names", "-out", f"{name}.pem")
        return str(tmp_path / f"{name}.pem"), str(tmp_path / f"{name}.key")

    make.ca = str(tmp_path / "ca.pem")
    return make


@pytest.fixture
def guarded_application(another_application, certificates):
    """An application over TLS that lets in only who shows a certificate of the authority."""
    application = another_application()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificates("application"))
    context.load_verify_locations(certificates.ca)
    context.verify_mode = ssl.CERT_REQUIRED
    application.server.socket = context.wrap_socket(application.server.socket, server_side=True)
    application.url = application.url.replace("http:", "https:")
    return application


def test_mutual_tls(own_server, application, guarded_application, certificates, phone):
    certificate, key = certificates("ringwright")
    server = own_server(service={"callback_url": guarded_application.url, "alarm_url": application.url + "/alarms",
                                 "client_certificate": certificate, "client_key": key, "ca": certificates.ca})
    guarded_application.replies["newCall"] = DROP
    assert phone(on=server).refused().status == 603
    guarded_application.completed("rejected")


@pytest.mark.parametrize("wrong", [{"client_certificate": None, "client_key": None}, {"ca": None}])
def test_without_its_certificate_or_trust_nothing_is_said(own_server, application, guarded_application, certificates, phone, wrong):
    certificate, key = certificates("ringwright")
    service = {"callback_url": guarded_application.url, "alarm_url": application.url + "/alarms", "client_certificate": certificate,
               "client_key": key, "ca": certificates.ca, **wrong}
    server = own_server(service={name: value for name, value in service.items() if value})
    assert phone(on=server).refused().status == 480
    application.wait_alarm("newCall request failed")
    assert guarded_application.requests == []
