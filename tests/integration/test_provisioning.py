"""Provisioning: customers come, change and go while the server runs, with SQLite and with PostgreSQL."""

import json
import pathlib
import subprocess
import time

import pytest
from support.kamailio import wait_registration
from support.server import BINARY, DESCRIPTION
from support.tokens import Key
from support.waiting import wait_until
from test_callbacks import certificates  # noqa: F401

TOKEN = "operator-token"
OPERATOR = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def provisioned(own_server, database):
    def make(url=database, **more):
        settings = {"database": {"url": url}, "provisioning": {"token": TOKEN}, **more.pop("settings", {})}
        return own_server(settings, **more)

    return make


def ask(server, method, path, body=None, headers=OPERATOR):
    return server.request(method, "/provisioning/" + path, body, headers=headers)


def change(server, method, path, body=None):
    answer = ask(server, method, path, body)
    assert answer.status == 200, answer.body
    return answer.body


def customer(application, name="customer.example", **more):
    service = {"id": "main", "numbers": ["*"], "callback_url": application.url, "alarm_url": application.url + "/alarms"}
    return {"name": name, "auth": "none", "mediaservices": [service], **more}


def names(server, path, member, key):
    return [one[key] for one in ask(server, "GET", path).body[member]]


@pytest.mark.short
def test_each_kind_is_made_read_changed_and_removed(provisioned, application):
    server = provisioned()
    assert names(server, "domain", "domains", "name") == ["demo.example"]
    change(server, "POST", "domain", {"name": "Customer.Example", "aliases": ["c.example"], "jwt_secret": "x" * 32})
    assert ask(server, "POST", "domain", {"name": "customer.example"}).body["error"] == "alreadyExists"
    read = ask(server, "GET", "domain/customer.example").body
    assert read["domain"] == {"name": "Customer.Example", "aliases": ["c.example"], "jwt_secret": "***"}
    assert read["origin"] == "database"
    assert names(server, "domain", "domains", "name") == ["Customer.Example", "demo.example"]
    things = [("mediaservice", "mediaservices", "id", {"numbers": ["1*"], "callback_url": application.url}, {"basic": "user:password"}),
              ("device", "devices", "id", {"mediaservice": "thing"}, {}),
              ("trunk", "trunks", "name", {"allow": ["127.0.0.0/8"]}, {"key": "secret-key"})]
    for kind, members, key, body, secrets in things:
        here = f"{kind}/customer.example"
        assert ask(server, "GET", here).body[members] == []
        change(server, "POST", here, {key: "thing", **body, **secrets})
        assert ask(server, "POST", f"{here}/thing", body).status == 409
        shown = {key: "thing", **body, **dict.fromkeys(secrets, "***")}
        assert ask(server, "GET", f"{here}/thing").body[kind] == shown
        assert ask(server, "GET", here).body == {"success": True, members: [shown], "next": None}
        change(server, "PUT", f"{here}/thing", shown)
        change(server, "PUT", f"{here}/other", {**body, key: "other"})
        assert names(server, here, members, key) == ["thing", "other"]
        change(server, "DELETE", f"{here}/other")
        assert ask(server, "GET", f"{here}/other").status == ask(server, "DELETE", f"{here}/other").status == 404
    refused = ask(server, "DELETE", "mediaservice/customer.example/thing")
    assert refused.status == 409 and "there is no mediaservice thing" in refused.body["reason"]
    change(server, "PUT", "domain/customer.example", {"aliases": []})
    assert names(server, "trunk/customer.example", "trunks", "name") == ["thing"], "what is in a domain stays when the domain changes"
    change(server, "DELETE", "domain/customer.example")
    for path in ("domain/customer.example", "trunk/customer.example", "trunk/customer.example/thing"):
        assert ask(server, "GET", path).status == 404
    change(server, "POST", "domain", {"name": "customer.example"})
    assert ask(server, "GET", "trunk/customer.example").body["trunks"] == []


BAD = [("domain", {}, "name"), ("domain", {"name": "a b"}, "name"), ("domain", {"name": "new.example", "auth": "maybe"}, "auth"),
       ("domain", {"name": "new.example", "unknown": 1}, "unknown"), ("domain", {"name": "new.example", "aliases": ["127.0.0.1"]}, "aliases"),
       ("domain", {"name": "new.example", "jwt_public_keys": ["/etc/passwd"]}, "jwt_public_keys"),
       ("domain", {"name": "new.example", "jwt_secret": "file:/etc/passwd"}, "jwt_secret"), ("domain", {"name": "new.example", "jwt_secret": "***"}, "jwt_secret"),
       ("domain", {"name": "new.example", "access_keys": [{"id": "a", "secret": "env:PATH", "region": "r"}]}, "access_keys[0].secret"),
       ("domain", {"name": "new.example", "mediaservices": [{"id": "a"}]}, "mediaservices[0].callback_url"),
       ("mediaservice/demo.example", {"id": "new", "callback_url": "ftp://x"}, "callback_url"),
       ("mediaservice/demo.example", {"id": "new", "callback_url": "http://x", "signing_key": "key.pem"}, "signing_key"),
       ("mediaservice/demo.example", {"id": "new", "callback_url": "http://x", "numbers": "1"}, "numbers"),
       ("device/demo.example", {"id": "new", "mediaservice": "nothing"}, "devices"), ("device/demo.example", {"id": "a/b"}, "id"),
       ("trunk/demo.example", {"name": "new"}, "allow"), ("trunk/demo.example", {"name": "new", "allow": ["here"]}, "allow"),
       ("trunk/demo.example", {"name": "new", "proxy": "http://x"}, "proxy"), ("trunk/demo.example", {"name": 1}, "name")]


def test_bad_input_names_the_field_and_changes_nothing(provisioned):
    server = provisioned()
    for path, body, field in BAD:
        answer = ask(server, "POST", path, body)
        assert answer.status == (409 if field == "aliases" else 400), (path, body, answer.body)
        assert field in answer.body["reason"], (path, body, answer.body)
    both = ask(server, "POST", "trunk/demo.example", {"name": "new", "allow": [1], "trusted": "yes"}).body["reason"]
    assert "allow" in both and "trusted" in both, both
    assert ask(server, "PUT", "device/demo.example/a", {"id": "b"}).status == 400
    assert ask(server, "POST", "device/nobody.example", {"id": "b"}).status == 404
    assert ask(server, "GET", "audit").body["entries"] == []
    assert names(server, "domain", "domains", "name") == ["demo.example"]
    assert "PATH" not in server.log() and "root:" not in server.log()


@pytest.mark.short
def test_only_the_operator_provisions(provisioned, own_server):
    server = provisioned()
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {TOKEN}"}):
        assert ask(server, "GET", "domain", headers=headers).status == 401
        assert ask(server, "POST", "domain", {"name": "x.example"}, headers=headers).status == 401
    assert server.request("OPTIONS", "/provisioning/domain").status == 200
    assert names(server, "domain", "domains", "name") == ["demo.example"]
    closed = own_server()
    assert ask(closed, "GET", "domain").status == 404, "nobody provisions where no token is configured"


@pytest.mark.short
def test_a_new_customer_is_served_at_once(provisioned, application, phone):
    application.replies["newCall"] = {"action": "ivr"}
    server = provisioned()
    key = Key("ES256")
    refused = phone(server, domain="customer.example")
    assert refused.refused().status == 404
    body = customer(application, auth="token", jwt_public_keys=[key.public_pem().decode()])
    change(server, "POST", "domain", body)
    caller = phone(server, domain="customer.example")
    caller.call()
    asked = application.wait_for("newCall").body
    assert asked["domain"] == "customer.example"
    session = {"sessionId": asked["sessionId"], "replyId": asked["replyId"]}
    assert server.post("hangupcall", session, domain="customer.example").status == 401
    assert server.post("hangupcalljwt", session, domain="customer.example", headers=key.header()).status == 200
    application.completed("apiHangup")
    other = Key("ES256")
    change(server, "PUT", "domain/customer.example", {**body, "jwt_public_keys": [other.public_pem().decode()]})
    assert server.post("hangupcalljwt", session, domain="customer.example", headers=key.header()).status == 401
    server.wait_idle()


@pytest.mark.short
def test_a_running_call_outlives_its_customer(provisioned, application, phone):
    application.replies["newCall"] = {"action": "ivr"}
    application.replies["getIvrCommand"] = {"getIVRCommandAfter": 0.2}
    server = provisioned()
    change(server, "POST", "domain", customer(application))
    caller = phone(server, domain="customer.example")
    caller.call()
    application.wait_for("getIvrCommand")
    change(server, "PUT", "mediaservice/customer.example/main", {"numbers": ["5"], "callback_url": "http://127.0.0.1:1"})
    application.wait_for("getIvrCommand", len(application.events("getIvrCommand")) + 2)
    change(server, "DELETE", "mediaservice/customer.example/main")
    change(server, "DELETE", "domain/customer.example")
    application.wait_for("getIvrCommand", len(application.events("getIvrCommand")) + 2)
    assert phone(server, domain="customer.example").refused().status == 404
    caller.hang_up()
    application.completed("normal")
    server.wait_idle()


@pytest.mark.short
def test_what_was_changed_outlives_a_restart(provisioned, application):
    server = provisioned(trunks=[{"name": "carrier", "allow": ["127.0.0.0/8"], "key": "secret-of-the-file"}])
    change(server, "POST", "domain", customer(application))
    change(server, "PUT", "trunk/demo.example/carrier", {"allow": ["127.0.0.1/32"], "key": "***"})
    change(server, "POST", "device/demo.example", {"id": "alarm-1"})
    change(server, "POST", "mediaservice/demo.example", {"id": "second", "callback_url": application.url})
    change(server, "DELETE", "mediaservice/demo.example/main")
    paths = ["domain", "domain/customer.example", "mediaservice/customer.example", "trunk/demo.example", "device/demo.example",
             "mediaservice/demo.example", "audit"]
    before = [ask(server, "GET", path).body for path in paths]
    assert before[3]["trunks"][0] == {"name": "carrier", "allow": ["127.0.0.1/32"], "key": "***"}
    assert [one["id"] for one in before[5]["mediaservices"]] == ["second"]
    server.kill()
    server.start()
    assert [ask(server, "GET", path).body for path in paths] == before
    assert ask(server, "GET", "domain/demo.example").body["origin"] == "file"
    assert ask(server, "GET", "mediaservice/demo.example/second").body["origin"] == "database"
    change(server, "DELETE", "domain/demo.example")
    server.kill()
    server.start()
    assert names(server, "domain", "domains", "name") == ["customer.example"], "a domain of the file stays removed"
    change(server, "POST", "domain", {"name": "demo.example"})
    assert ask(server, "GET", "mediaservice/demo.example").body["mediaservices"] == []


def test_the_audit_trail_tells_who_did_what_and_no_secret(provisioned):
    server = provisioned()
    change(server, "POST", "domain", {"name": "a.example", "jwt_secret": "s3cret-" * 8})
    change(server, "PUT", "domain/a.example", {"jwt_secret": "***", "aliases": ["b.example"]})
    change(server, "POST", "trunk/a.example", {"name": "t", "allow": ["10.0.0.0/8"], "key": "s3cret-key"})
    change(server, "DELETE", "domain/a.example")
    answer = ask(server, "GET", "audit")
    entries = answer.body["entries"]
    assert [(one["method"], one["kind"], one["domain"], one["name"]) for one in entries] == [
        ("DELETE", "domain", "a.example", ""), ("POST", "trunk", "a.example", "t"), ("PUT", "domain", "a.example", ""), ("POST", "domain", "a.example", "")]
    assert [one["number"] for one in entries] == [4, 3, 2, 1]
    assert entries[2]["before"] == {"name": "a.example", "jwt_secret": "***"}
    assert entries[2]["after"] == {"name": "a.example", "jwt_secret": "***", "aliases": ["b.example"]}
    assert entries[3]["before"] is None and entries[0]["after"] is None
    assert {one["address"] for one in entries} == {"127.0.0.1"} and len({one["who"] for one in entries}) == 1
    assert ask(server, "GET", "audit?domain=other.example").body["entries"] == []
    assert "s3cret" not in answer.raw.decode() and TOKEN not in answer.raw.decode()
    lines = [one for one in server.log_lines() if one.get("msg", one.get("message")) == "provisioned"]
    assert [one["method"] for one in lines] == ["POST", "PUT", "POST", "DELETE"]
    assert "s3cret" not in server.log() and TOKEN not in server.log()


def test_a_list_has_pages(provisioned):
    server = provisioned()
    change(server, "POST", "domain", {"name": "a.example", "devices": [f"device-{at:04}" for at in range(1001)]})
    first = ask(server, "GET", "device/a.example").body
    assert len(first["devices"]) == 1000
    second = ask(server, "GET", f"device/a.example?next={first['next']}").body
    assert [one["id"] for one in second["devices"]] == ["device-1000"] and second["next"] is None
    assert ask(server, "GET", "device/a.example?next=x").status == 400


def test_a_repeated_request_with_its_key_does_nothing_again(provisioned):
    server = provisioned()
    for _ in range(2):
        assert ask(server, "POST", "domain", {"name": "a.example"}, headers={**OPERATOR, "Idempotency-Key": "1"}).status == 200
    assert len(ask(server, "GET", "audit").body["entries"]) == 1


def test_a_trunk_registers_and_leaves(provisioned, kamailio, proxied_phone, application):
    proxy = kamailio()
    server = provisioned()
    trunk = {"proxy": proxy.uri(), "username": "100", "password": "wrong", "realm": proxy.domain, "register": True, "aor": f"sip:100@{proxy.domain}"}
    change(server, "PUT", "trunk/demo.example/carrier", trunk)
    wait_registration(server, "failed")
    change(server, "PUT", "trunk/demo.example/carrier", {**trunk, "password": proxy.password})
    wait_registration(server, "registered")
    caller = proxied_phone(proxy)
    caller.call()
    caller.hang_up()
    application.completed("normal")
    change(server, "DELETE", "trunk/demo.example/carrier")
    wait_until(lambda: not any(name.startswith("ringwright_registrations{") for name in server.metrics()), "the trunk is still registered")
    assert proxied_phone(proxy).refused().status == 404


def test_the_database_goes_away_and_comes_back(own_server, own_postgres, application, phone):
    application.replies["newCall"] = {"action": "ivr"}
    server = own_server({"database": {"url": own_postgres.database("away")}, "provisioning": {"token": TOKEN}})
    change(server, "POST", "domain", customer(application))
    running = phone(server, domain="customer.example")
    running.call()
    own_postgres.stop()
    answer = ask(server, "POST", "domain", {"name": "b.example"})
    assert answer.status == 503 and answer.headers["Retry-After"]
    assert ask(server, "GET", "domain").status == 503
    fresh = phone(server, domain="customer.example")
    fresh.call()
    application.wait_for("callAnswered", 2)
    own_postgres.start()
    wait_until(lambda: ask(server, "POST", "domain", {"name": "b.example"}).status == 200, "the database is not found again")
    running.hang_up()
    fresh.hang_up()
    application.wait_for("sessionCompleted", 2)
    own_postgres.stop()
    server.kill()
    refused = subprocess.run([BINARY, "serve", "--config", server.file], capture_output=True, text=True, timeout=60)
    assert refused.returncode == 1 and "database.url: " in refused.stderr
    own_postgres.start()
    server.start()
    assert "customer.example" in names(server, "domain", "domains", "name")


def test_two_servers_of_one_database_see_each_others_changes(own_server, postgres, application, phone):
    url = postgres().database(f"cluster{time.monotonic_ns()}")
    settings = {"database": {"url": url}, "provisioning": {"token": TOKEN}}
    one, two = own_server(settings), own_server(settings)
    change(one, "POST", "domain", customer(application))
    assert names(two, "domain", "domains", "name") == ["customer.example", "demo.example"]
    change(two, "PUT", "domain/customer.example", {"auth": "none", "aliases": ["c.example"]})
    assert ask(one, "POST", "domain", {"name": "c.example"}).status == 409
    change(one, "POST", "domain", customer(application, name="third.example"))
    # Nobody asks the second one: it looks itself.
    wait_until(lambda: two.post("hangupcall", {}, domain="third.example").status != 404, "the second server does not know the domain")
    for at in range(10):
        change((one, two)[at % 2], "POST", "device/customer.example", {"id": f"device-{at}"})
    assert [entry["number"] for entry in ask(two, "GET", "audit").body["entries"]] == list(range(13, 0, -1))


@pytest.mark.short
def test_users_and_passwords_in_urls_are_told_to_nobody(provisioned, application):
    server = provisioned()
    url = application.url.replace("://", "://klaus:geheim@") + "/a?code=K"
    change(server, "POST", "domain", {**customer(application), "jwks_url": url})
    change(server, "PUT", "mediaservice/customer.example/main", {"numbers": ["5"], "callback_url": url})
    hidden = url.replace("klaus:geheim", "***")
    assert ask(server, "GET", "mediaservice/customer.example/main").body["mediaservice"]["callback_url"] == hidden
    assert ask(server, "GET", "domain/customer.example").body["domain"]["jwks_url"] == hidden
    # Given back it stands for what was there; elsewhere for nothing.
    change(server, "PUT", "mediaservice/customer.example/main", {"numbers": ["6"], "callback_url": hidden})
    refused = ask(server, "PUT", "mediaservice/customer.example/main", {"callback_url": "http://***@elsewhere.example"})
    assert (refused.status, refused.body["reason"].split(":")[0]) == (400, "callback_url")
    assert "geheim" not in json.dumps(ask(server, "GET", "audit").body) + server.log()


@pytest.mark.parametrize("url", ["http://", "http://a:99999", "http://a b", "http://a/#b"])
def test_a_url_that_nothing_could_be_sent_to_is_refused(provisioned, application, url):
    server = provisioned()
    change(server, "POST", "domain", customer(application))
    for key in ("callback_url", "secondary_callback_url", "alarm_url"):
        refused = ask(server, "PUT", "mediaservice/customer.example/main", {"callback_url": application.url, key: url})
        assert (refused.status, refused.body["reason"].split(":")[0]) == (400, key)
    refused = ask(server, "PUT", "domain/customer.example", {"name": "customer.example", "jwks_url": url})
    assert (refused.status, refused.body["reason"].split(":")[0]) == (400, "jwks_url")


SAMPLES = {
    "domain": {"aliases": ["c.example"], "auth": "none", "jwt_public_keys": [Key("ES256").public_pem().decode()], "jwks_url": "https://keys.example/set",
               "jwt_secret": "s" * 32, "access_keys": [{"id": "AKID", "secret": "of-the-key", "region": "eu-north-1"}], "allow_media": ["10.0.0.0/8"],
               "allow_callbacks": ["https://app.example:443"], "max_calls": 5, "calls_per_second": 2, "requests_per_second": 9, "max_storage": 99,
               "recording_key": Key("RS256").public_pem().decode()},
    "mediaservice": {"numbers": ["1*"], "secondary_callback_url": "http://127.0.0.1:2", "alarm_url": "http://127.0.0.1:3/a", "basic": "user:pass",
                     "bearer": "word", "signing_key": Key("ES256").private_pem().decode(), "ca": "CA", "tone_plan": "us", "drop_codes": {"busy": 600},
                     "identify_calls": True, "allow_refer": True, "hold_music": "music.wav"},
    "device": {"mediaservice": "main"},
    "trunk": {"key": "word", "max_calls": 3, "calls_per_second": 1, "hosts": ["carrier.example"], "realm": "carrier.example", "trusted": True, "tel": True,
              "aor": "sip:100@carrier.example", "register": True},
}
TOGETHER = {"mediaservice": [{"client_certificate": "CERT", "client_key": "KEY"}],  # each needs the other
            "trunk": [{"inbound_username": "a", "inbound_password": "b"}, {"username": "a", "password": "b"}]}
FIRST = {"domain": {"name": "customer.example"}, "mediaservice": {"id": "main", "callback_url": "http://127.0.0.1:1"}, "device": {"id": "main"},
         "trunk": {"name": "main", "allow": ["127.0.0.0/8"], "proxy": "sip:127.0.0.1:9"}}
SECRET = ("jwt_secret", "basic", "bearer", "signing_key", "client_key", "key", "inbound_password", "password")


def shown(name, value):
    if name == "access_keys":
        return [{**one, "secret": "***"} for one in value]
    return "***" if name in SECRET else value


@pytest.mark.parametrize("kind", list(FIRST))
def test_each_member_can_be_changed_and_removed_by_itself(own_server, certificates, kind):  # noqa: F811
    server = own_server({"provisioning": {"token": TOKEN}})
    certificate, key = (pathlib.Path(one).read_text() for one in certificates("ringwright"))
    real = {"CA": certificate, "CERT": certificate, "KEY": key}
    change(server, "POST", "domain", {"name": "customer.example", "mediaservices": [FIRST["mediaservice"]], "devices": ["main"], "trunks": [FIRST["trunk"]]})
    path = "domain/customer.example" if kind == "domain" else f"{kind}/customer.example/main"
    first = ask(server, "GET", path)
    patches = [{name: real.get(value, value) if isinstance(value, str) else value for name, value in one.items()}
               for one in [*({name: value} for name, value in SAMPLES[kind].items()), *TOGETHER.get(kind, [])]]
    described = set(DESCRIPTION.document["components"]["schemas"]["Provisioned" + kind.capitalize()]["properties"])
    assert {name for patch in patches for name in patch} | set(FIRST[kind]) | {"trunks", "devices", "mediaservices"} >= described, "one has no sample"
    for patch in patches:
        before = ask(server, "GET", path)
        changed = ask(server, "PATCH", path, patch)
        assert changed.status == 200, (patch, changed.body)
        after = ask(server, "GET", path)
        assert after.body[kind] == {**before.body[kind], **{name: shown(name, value) for name, value in patch.items()}}
        assert after.headers["ETag"] == changed.headers["ETag"] != before.headers["ETag"]
    for patch in reversed(patches):
        change(server, "PATCH", path, dict.fromkeys(patch))
    last = ask(server, "GET", path)
    assert (last.body[kind], last.headers["ETag"]) == (first.body[kind], first.headers["ETag"])


@pytest.mark.short
def test_a_rotated_key_leaves_everything_else(provisioned):
    server = provisioned()
    keys = [{"id": "AKID", "secret": "of-the-key", "region": "eu-north-1"}]
    change(server, "POST", "domain", {"name": "a.example", "aliases": ["b.example"], "access_keys": keys, "jwt_secret": "x" * 32, "devices": ["door"]})
    change(server, "PATCH", "domain/a.example", {"jwt_secret": "y" * 32})
    assert server.post("hangupcalljwt", {"replyId": "x"}, domain="a.example", headers=Key("HS256", "x" * 32).header()).status == 401
    assert server.post("hangupcalljwt", {"replyId": "x"}, domain="a.example", headers=Key("HS256", "y" * 32).header()).status == 400
    assert ask(server, "GET", "domain/a.example").body["domain"] == {
        "name": "a.example", "aliases": ["b.example"], "access_keys": [{**keys[0], "secret": "***"}], "jwt_secret": "***"}
    assert names(server, "device/a.example", "devices", "id") == ["door"]
    entry = ask(server, "GET", "audit").body["entries"][0]
    assert (entry["method"], entry["domain"], entry["after"]["aliases"]) == ("PATCH", "a.example", ["b.example"])


def test_a_list_is_replaced_or_emptied_and_nested_members_are_merged(provisioned):
    server = provisioned()
    change(server, "POST", "domain", {"name": "a.example", "devices": ["one", "two"]})
    change(server, "PATCH", "domain/a.example", {"devices": [{"id": "three"}]})
    assert names(server, "device/a.example", "devices", "id") == ["three"]
    change(server, "PATCH", "domain/a.example", {"devices": None})
    assert names(server, "device/a.example", "devices", "id") == []
    change(server, "POST", "mediaservice/a.example", {"id": "m", "callback_url": "http://127.0.0.1:1", "drop_codes": {"busy": 600, "error": 503}})
    change(server, "PATCH", "mediaservice/a.example/m", {"drop_codes": {"busy": None, "dropNoMsg": 403}})
    assert ask(server, "GET", "mediaservice/a.example/m").body["mediaservice"]["drop_codes"] == {"error": 503, "dropNoMsg": 403}


def test_a_patch_that_can_not_be_applied_changes_nothing(provisioned):
    server = provisioned()
    change(server, "POST", "domain", {"name": "a.example", "mediaservices": [{"id": "m", "callback_url": "http://127.0.0.1:1"}]})
    for path, body, status, field in [("domain/a.example", {"auth": 1}, 400, "auth"), ("domain/a.example", {"name": "b.example"}, 400, "name"),
                                      ("mediaservice/a.example/m", {"callback_url": None}, 400, "callback_url"),
                                      ("mediaservice/a.example/m", {"basic": "***"}, 400, "basic"), ("mediaservice/a.example/m", {"new": 1}, 400, "new"),
                                      ("mediaservice/a.example/none", {"numbers": ["*"]}, 404, "id"), ("domain/none.example", {"auth": "none"}, 404, "name"),
                                      ("trunk/none.example/t", {"key": "x"}, 404, "domain")]:
        answer = ask(server, "PATCH", path, body)
        assert (answer.status, field in answer.body["reason"]) == (status, True), (path, answer.body)
    other = ask(server, "PATCH", "domain/a.example", [{"op": "remove", "path": "/auth"}], headers={**OPERATOR, "Content-Type": "application/json-patch+json"})
    assert (other.status, other.headers["Accept-Patch"]) == (415, "application/merge-patch+json")
    assert ask(server, "PATCH", "domain/a.example", {}, headers={**OPERATOR, "Content-Type": "application/merge-patch+json"}).status == 200
    assert len(ask(server, "GET", "audit").body["entries"]) == 2


@pytest.mark.short
@pytest.mark.parametrize("kind", list(FIRST))
def test_of_two_operators_the_second_is_told_that_the_first_was_quicker(provisioned, kind):
    server = provisioned()
    change(server, "POST", "domain", {"name": "customer.example", "mediaservices": [FIRST["mediaservice"]]})
    path = "domain/customer.example" if kind == "domain" else f"{kind}/customer.example/main"
    change(server, "PUT", path, FIRST[kind])
    member = {"domain": "aliases", "mediaservice": "numbers", "device": "mediaservice", "trunk": "hosts"}[kind]
    value = "main" if kind == "device" else ["new"]
    tag = ask(server, "GET", path).headers["ETag"]

    def when(tag):
        return {**OPERATOR, "If-Match": tag}

    first = ask(server, "PATCH", path, {member: value}, headers=when(tag))
    assert first.status == 200 and first.headers["ETag"] != tag
    for method, body in (("PUT", FIRST[kind]), ("PATCH", {member: None}), ("DELETE", None)):
        late = ask(server, method, path, body, headers=when(tag))
        assert (late.status, late.body["error"]) == (412, "preconditionFailed")
        assert first.headers["ETag"] in late.body["reason"]
        assert ask(server, method, path, body, headers=when("W/" + first.headers["ETag"])).status == 412, "a weak tag matches nothing"
    assert ask(server, "GET", path).headers["ETag"] == first.headers["ETag"]
    assert ask(server, "PUT", path, FIRST[kind], headers=when(f'"other", {first.headers["ETag"]}')).status == 200
    assert ask(server, "GET", path).headers["ETag"] == tag, "the same things have the same tag"
    other = path.replace("customer.example", "new.example") if kind == "domain" else path.replace("/main", "/new")
    assert ask(server, "PUT", other, {**FIRST[kind], **({"name": "new.example"} if kind == "domain" else {("name" if kind == "trunk" else "id"): "new"})},
               headers=when("*")).status == 412, "there is none"
    assert ask(server, "DELETE", path, headers=when("*")).status == 200
