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
