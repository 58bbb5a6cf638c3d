"""With Kamailio: the server registers there as a trunk, and calls come in through it."""

import signal

import pytest
from conftest import tone_wav
from support.kamailio import wait_registration


def trunk(carrier, **more):
    return {"name": "carrier", "proxy": carrier.uri(), "username": "100", "password": carrier.password, "realm": carrier.domain,
            "register": True, "aor": f"sip:100@{carrier.domain}", **more}


@pytest.mark.short
@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_a_call_comes_in_over_a_registered_trunk(kamailio, own_server, application, proxied_phone, transport):
    application.replies["getIvrCommand"] = {"phrases": [{"format": "tts", "text": "Hello"}], "hangup": True}
    proxy = kamailio()
    server = own_server(trunks=[trunk(proxy, proxy=proxy.uri(f";transport={transport};lr"))])
    wait_registration(server, "registered")
    caller = proxied_phone(proxy)
    caller.call()
    proxy.wait_log("in dialog ACK")
    caller.wait_request("BYE")
    application.completed("normal")
    assert proxy.count("in dialog BYE") == 1, "the BYE did not pass through the proxy"
    assert len(caller.rtp.packets) > 0
    states = [line["state"] for line in server.log_lines() if line.get("msg", line.get("message")) == "trunk registration"]
    assert states == ["registering", "registered"]


def test_the_caller_hangs_up_through_the_proxy(kamailio, own_server, application, proxied_phone):
    proxy = kamailio()
    server = own_server(trunks=[trunk(proxy)])
    wait_registration(server, "registered")
    caller = proxied_phone(proxy)
    caller.call()
    application.wait_for("getIvrCommand")
    caller.hang_up()
    application.completed("normal")
    assert proxy.count("in dialog BYE") == 1


def test_a_wrong_password_is_told(kamailio, own_server):
    proxy = kamailio()
    server = own_server(trunks=[trunk(proxy, password="wrong")])
    wait_registration(server, "failed")
    line = next(one for one in server.log_lines() if one.get("state") == "failed")
    assert line["trunk"] == "carrier" and line["problem"].startswith("401")
    assert proxy.count("request REGISTER") == 2, "a refused password is not offered again and again"


@pytest.mark.short
def test_a_binding_is_refreshed_and_removed_at_the_end(kamailio, own_server, proxied_phone):
    proxy = kamailio(max_expires=2, nonce_expire=1)
    server = own_server(trunks=[trunk(proxy)])
    wait_registration(server, "registered")
    proxy.wait_log("request REGISTER", proxy.count("request REGISTER") + 3)
    wait_registration(server, "registered")
    assert not [one for one in server.log_lines() if one.get("state") == "failed"]
    caller = proxied_phone(proxy)
    caller.call()
    caller.hang_up()
    server.process.send_signal(signal.SIGTERM)
    server.process.wait(timeout=30)
    caller = proxied_phone(proxy)
    assert caller.refused().status == 404, "the binding outlived the server"


def test_a_registrar_that_is_not_there_is_told(kamailio, own_server):
    proxy = kamailio()
    proxy.stop()
    server = own_server(trunks=[trunk(proxy, proxy=proxy.uri(";transport=tcp;lr"))])
    wait_registration(server, "failed")
    assert server.log_lines()[-1]["problem"].startswith("503")


def place_call(server, destination):
    answer = server.post("placeivrcall", {"destAddr": destination, "sipFrom": "4670123"})
    assert answer.status == 200, answer.raw


def heard_and_hung_up(application, callee, proxy):
    """The callee hears a prompt, then the server hangs up; all of the dialog passes through the proxy."""
    invite = callee.wait_request("INVITE")
    assert "sip:4670123@" in invite.header("From")
    assert len(invite.all("Via")) == 2, "the INVITE did not pass through the proxy"
    application.wait_for("callAnswered")
    application.wait_for("getIvrCommand")
    proxy.wait_log("in dialog ACK")
    callee.rtp.wait_for_tone(500)
    callee.wait_request("BYE")
    application.completed("normal")
    assert proxy.count("in dialog BYE") == 1


def says_tone(server, application):
    assert server.upload("a.wav", tone_wav(500)).status == 200
    application.replies["getIvrCommand"] = {"phrases": [{"format": "file", "fileName": "a.wav"}], "hangup": True}


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_a_call_goes_out_through_the_outbound_proxy(called_phone, kamailio, own_server, application, transport):
    proxy = kamailio()
    callee = called_phone(proxy)
    server = own_server({"sip": {"outbound_proxy": proxy.uri(f";transport={transport};lr")}})
    says_tone(server, application)
    place_call(server, f"sip:bob@127.0.0.1:{callee.port}")
    heard_and_hung_up(application, callee, proxy)


def test_a_call_goes_out_over_a_trunk_that_wants_a_password(called_phone, kamailio, own_server, application):
    proxy = kamailio(ask_callers=True)
    callee = called_phone(proxy)
    server = own_server(trunks=[trunk(proxy, register=False, hosts=["127.0.0.1"])])
    says_tone(server, application)
    place_call(server, f"sip:bob@127.0.0.1:{callee.port}")
    heard_and_hung_up(application, callee, proxy)
    assert proxy.count("request INVITE") == 2, "once without, once with the password"


def test_the_callee_hangs_up_through_the_proxy(called_phone, kamailio, own_server, application):
    proxy = kamailio()
    callee = called_phone(proxy)
    server = own_server({"sip": {"outbound_proxy": proxy.uri()}})
    place_call(server, f"sip:bob@127.0.0.1:{callee.port}")
    application.wait_for("getIvrCommand")
    callee.hang_up()
    application.completed("normal")
    assert proxy.count("in dialog BYE") == 1


# ---- connections that Kamailio closes because they are idle


@pytest.fixture
def idle_proxy(kamailio, own_server, application, proxied_phone):
    """A Kamailio that soon closes what is idle, a server that is registered there over TCP, and a caller who is up."""
    def make(**invite):
        proxy = kamailio(tcp_lifetime=2)
        server = own_server(trunks=[trunk(proxy, proxy=proxy.uri(";transport=tcp;lr"))])
        wait_registration(server, "registered")
        caller = proxied_phone(proxy)
        caller.call(**invite)
        application.wait_for("callAnswered")
        proxy.wait_disconnected(server)
        return proxy, server, caller
    return make


def test_the_caller_is_hung_up_though_the_proxy_has_closed_the_connection(idle_proxy, application):
    proxy, server, caller = idle_proxy()
    assert server.post("hangupcall", {"replyId": application.wait_for("callAnswered").body["replyId"]}).status == 200
    caller.wait_request("BYE")
    application.completed("apiHangup")
    assert proxy.count("in dialog BYE") == 1


def test_the_caller_hangs_up_though_the_proxy_has_closed_the_connection(idle_proxy, application):
    proxy, _, caller = idle_proxy()
    caller.hang_up()
    application.completed("normal")
    assert proxy.count("in dialog BYE") == 1


def test_a_reinvite_from_either_side_passes_though_the_proxy_has_closed_the_connection(idle_proxy, application):
    proxy, server, caller = idle_proxy(extra="Supported: timer\r\nSession-Expires: 24;refresher=uas\r\n")
    caller.invite(extra="Supported: timer\r\nSession-Expires: 24;refresher=uas\r\n")
    assert caller.wait_final().status == 200
    caller.ack()
    proxy.wait_disconnected(server)
    caller.wait_request("INVITE")  # the session's refresh
    caller.wait_request("ACK")
    proxy.wait_disconnected(server)
    caller.hang_up()
    application.completed("normal")
    assert proxy.count("in dialog INVITE") >= 2


def test_a_phone_may_ring_for_longer_than_the_proxy_keeps_its_connection(called_phone, kamailio, own_server, application):
    proxy = kamailio(tcp_lifetime=2)
    callee = called_phone(proxy, pick_up=False)
    server = own_server({"sip": {"outbound_proxy": proxy.uri(";transport=tcp;lr")}})
    says_tone(server, application)
    place_call(server, f"sip:bob@127.0.0.1:{callee.port}")
    callee.wait_request("INVITE")
    proxy.wait_disconnected(server)
    callee.answer()
    application.wait_for("callAnswered")
    proxy.wait_log("in dialog ACK")
    callee.rtp.wait_for_tone(500)
    callee.wait_request("BYE")
    application.completed("normal")


# ---- several registrations at one carrier


def test_two_tenants_at_one_carrier_get_their_own_calls(kamailio, own_server, application, proxied_phone):
    """Each has a mediaservice for 1*; what comes for a registration belongs to its domain."""
    proxy = kamailio()
    more = f'''
[[domains]]
name = "tenant.example"
auth = "none"
allow_media = ["127.0.0.0/8"]
[[domains.mediaservices]]
id = "second"
numbers = ["*"]
callback_url = "{application.url}/second"
[[domains.trunks]]
name = "carrier"
proxy = "{proxy.uri()}"
username = "200"
password = "{proxy.password}"
realm = "{proxy.domain}"
register = true
aor = "sip:200@{proxy.domain}"
'''
    server = own_server(trunks=[trunk(proxy)], more=more)
    wait_registration(server, "registered")
    wait_registration(server, "registered", domain="tenant.example")
    for user, domain in (("200", "tenant.example"), ("100", server.domain), ("200", "tenant.example")):
        application.reset()
        caller = proxied_phone(proxy, user=user)
        caller.call()
        asked = application.wait_for("newCall")
        assert (asked.body["domain"], asked.body["calledParty"]) == (domain, user)
        assert asked.event.startswith("second/") == (domain == "tenant.example")
        caller.hang_up()
        application.completed("normal")
