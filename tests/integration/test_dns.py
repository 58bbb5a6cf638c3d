"""Next hops found by DNS (RFC 3263), with a name server of our own."""

import socket

import pytest
from support.dns import DnsServer
from support.kamailio import wait_registration
from support.rtp_peer import sine


@pytest.fixture
def dns():
    server = DnsServer()
    yield server
    server.close()


@pytest.fixture
def dead_port():
    """A TCP port that refuses."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


def trunk(carrier, **more):
    return {"name": "carrier", "proxy": "sip:carrier.example", "username": "100", "password": carrier.password, "register": True, **more}


def test_a_registrar_is_found_by_naptr_and_srv(dns, kamailio, own_server):
    carrier = kamailio()
    dns.naptr("carrier.example", "SIP+D2T", "_sip._tcp.sip.carrier.example", order=10)
    dns.naptr("carrier.example", "SIP+D2U", "_sip._udp.sip.carrier.example", order=20)
    dns.srv("_sip._tcp.sip.carrier.example", "a.carrier.example", carrier.port)
    dns.address_of("a.carrier.example", "127.0.0.1")
    server = own_server({"sip": {"dns_servers": [dns.address]}}, trunks=[trunk(carrier)])
    wait_registration(server, "registered")
    assert dns.questions.count(("a.carrier.example", "A")) == 1
    assert ("_sip._tcp.sip.carrier.example", "SRV") in dns.questions


def test_the_next_of_several_servers_is_tried(dns, kamailio, own_server, dead_port):
    carrier = kamailio()
    dns.srv("_sip._tcp.carrier.example", "a.carrier.example", dead_port, priority=1)
    dns.srv("_sip._tcp.carrier.example", "b.carrier.example", carrier.port, priority=2)
    dns.address_of("a.carrier.example", "127.0.0.1")
    dns.address_of("b.carrier.example", "127.0.0.1")
    server = own_server({"sip": {"dns_servers": [dns.address]}}, trunks=[trunk(carrier, proxy="sip:carrier.example;transport=tcp")])
    wait_registration(server, "registered")
    assert not [one for one in server.log_lines() if one.get("state") == "failed"]


@pytest.mark.short
def test_a_registrar_that_does_not_exist_is_told(dns, kamailio, own_server):
    server = own_server({"sip": {"dns_servers": [dns.address]}}, trunks=[trunk(kamailio())])
    wait_registration(server, "failed")
    assert server.log_lines()[-1]["problem"] == "no way to sip:carrier.example"


def place_call(server, destination):
    answer = server.post("placeivrcall", {"destAddr": destination, "sipFrom": "4670123"})
    assert answer.status == 200, answer.raw


def test_a_call_goes_to_where_the_name_leads(called_phone, dns, own_server, application):
    server = own_server({"sip": {"dns_servers": [dns.address]}})
    callee = called_phone(server)
    dns.srv("_sip._udp.callee.example", "phone.callee.example", callee.port)
    dns.address_of("phone.callee.example", "127.0.0.1")
    place_call(server, "sip:bob@callee.example")
    invite = callee.wait_request("INVITE")
    assert invite.start == "INVITE sip:bob@callee.example SIP/2.0"
    application.wait_for("callAnswered")
    application.wait_for("getIvrCommand")
    callee.hang_up()
    application.completed("normal")


def test_a_call_takes_the_next_hop_if_one_refuses(called_phone, dns, own_server, application, dead_port):
    server = own_server({"sip": {"dns_servers": [dns.address]}})
    callee = called_phone(server)
    dns.naptr("callee.example", "SIP+D2T", "_sip._tcp.callee.example", order=1)
    dns.naptr("callee.example", "SIP+D2U", "_sip._udp.callee.example", order=2)
    dns.srv("_sip._tcp.callee.example", "phone.callee.example", dead_port)
    dns.srv("_sip._udp.callee.example", "phone.callee.example", callee.port)
    dns.address_of("phone.callee.example", "127.0.0.1")
    place_call(server, "sip:bob@callee.example")
    callee.wait_request("INVITE")
    application.wait_for("getIvrCommand")
    callee.hang_up()
    application.completed("normal")


def test_a_call_to_a_name_that_does_not_exist_ends(called_phone, dns, own_server, application):
    server = own_server({"sip": {"dns_servers": [dns.address]}})
    place_call(server, "sip:bob@nobody.example")
    application.wait_for("sessionCompleted")
    assert application.events("callAnswered") == []


def named(caller, host):
    return caller.sdp().replace("c=IN IP4 127.0.0.1", f"c=IN IP4 {host}")


def test_a_caller_whose_description_has_a_name_is_heard_and_hears(dns, phone, own_server, application, tone_file):
    server = own_server({"sip": {"dns_servers": [dns.address]}})
    tone_file(server, "a.wav", 500, 5)
    application.replies["getIvrCommand"] = {"phrases": [{"fileName": "a"}], "getIVRCommandAfter": 30}
    dns.address_of("media.caller.example", "127.0.0.1")
    caller = phone(server)
    caller.call(sdp=named(caller, "media.caller.example"))
    caller.rtp.wait_for_tone(500)
    caller.invite(sdp=named(caller, "media.caller.example"))
    assert caller.wait_final().status == 200
    caller.ack()
    caller.rtp.wait_for_tone(500, first=len(caller.rtp.packets))
    caller.hang_up()
    application.completed("normal")


def test_a_called_phone_whose_answer_has_a_name_is_connected(dns, phone, called_phone, own_server, application, calls):
    server = own_server({"sip": {"dns_servers": [dns.address]}})
    dns.address_of("media.callee.example", "127.0.0.1")
    callee = called_phone(server, pick_up=False)
    application.replies["newCall"] = calls(callee)
    caller = phone(server)
    caller.invite()
    callee.wait_request("INVITE")
    callee.answer(named(callee, "media.callee.example"))
    answer = caller.wait_final()
    assert answer.status == 200
    caller.follow(answer)
    caller.ack()
    application.wait_for("callAnswered")
    caller.rtp.keep_speaking(sine(900, 1))
    callee.rtp.wait_for_tone(900)
    caller.hang_up()
    application.completed("normal")


def test_a_caller_that_gives_up_while_its_name_is_looked_up_leaves_nothing(phone, own_server, application):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        server = own_server({"sip": {"dns_servers": ["127.0.0.1:%d" % silent.getsockname()[1]]}})
        caller = phone(server)
        caller.invite(sdp=named(caller, "media.caller.example"))
        silent.settimeout(20)
        silent.recv(512)
        caller.cancel()
        assert caller.wait_final().status == 487
        caller.ack_refusal()
        server.wait_idle()


def test_a_description_whose_name_leads_nowhere_is_refused(dns, phone, own_server, application):
    server = own_server({"sip": {"dns_servers": [dns.address]}})
    caller = phone(server)
    refusal = caller.refused(sdp=named(caller, "nowhere.example"))
    assert refusal.status == 488
    assert refusal.header("Warning").startswith("301 ")
    application.wait_alarm("invalidSdp")
    assert application.events("newCall") == []
