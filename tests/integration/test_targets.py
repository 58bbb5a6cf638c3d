"""Where SIP requests may go that others have named: a destination, a Contact, a Route, what a name leads to. Nothing is sent elsewhere."""

import socket

import pytest
from support.dns import DnsServer
from support.waiting import wait_until

FORBIDDEN = ["sip:x@169.254.169.254", "sip:x@169.254.169.254:5060;transport=tcp", "sip:x@224.0.0.1", "sip:x@0.0.0.0", "sip:x@255.255.255.255",
             "sip:x@127.0.0.1:25", "sip:x@127.0.0.1:80;transport=tcp", "sip:x@192.0.2.1:443;transport=tcp"]
ELSEWHERE = {"allow_targets": ["192.0.2.0/24"]}


class Trap:
    """A host of this machine that listens by TCP and UDP at one port, and tells whether anything came."""

    def __init__(self, host):
        self.host = host
        self.tcp = socket.create_server((host, 0))
        self.port = self.tcp.getsockname()[1]
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind((host, self.port))
        for one in (self.tcp, self.udp):
            one.setblocking(False)

    def sprung(self):
        for receive in (lambda: self.tcp.accept(), lambda: self.udp.recv(9)):
            try:
                receive()
                return True
            except BlockingIOError:
                pass
        return False

    def close(self):
        self.tcp.close()
        self.udp.close()


@pytest.fixture
def trap():
    made = Trap("127.0.0.9")
    yield made
    assert not made.sprung(), "something has come"
    made.close()


@pytest.fixture
def dns():
    made = DnsServer()
    yield made
    made.close()


def refused(server):
    return server.metrics()['ringwright_refused_total{bound="sipTargets"}']


def call_fails(server, application, phone, address):
    """The application wants a call to an address that may not be used: what it is told, and the log."""
    before = refused(server)
    application.replies["newCall"] = {"action": "call", "destAddr": address}
    application.replies["callEvent"] = {"action": "drop"}
    caller = phone(server)
    assert caller.refused().status >= 400
    event = application.wait_for("callEvent").body
    assert event["event"] == "calledPartyFailure", event
    application.wait_for("sessionCompleted")
    assert refused(server) > before
    assert any(one["msg"] == "target refused" for one in server.log_lines())
    failed = [one for one in server.log_lines() if one["msg"] == "leg failed"]
    assert "address is not one that may be used" in failed[-1]["why"]


@pytest.mark.parametrize("address", FORBIDDEN)
def test_a_destination_that_is_no_phones_is_not_called(server, application, phone, address):
    call_fails(server, application, phone, address)


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_this_machine_is_not_called_where_it_serves_others(own_server, application, phone, trap, transport):
    """Listeners that are reached from elsewhere: loopback is none of theirs."""
    server = own_server({"sip": {"listen": ["udp:0.0.0.0:0", "tcp:0.0.0.0:0"], "advertise": "127.0.0.1"}},
                        trunks=[{"name": "all", "allow": ["127.0.0.0/8"]}])
    call_fails(server, application, phone, f"sip:x@{trap.host}:{trap.port};transport={transport}")


def test_a_name_that_leads_where_nobody_may_is_not_called(own_server, application, phone, dns, trap):
    server = own_server({"sip": {"dns_servers": [dns.address], **ELSEWHERE}})
    dns.address_of("inside.example", trap.host)
    call_fails(server, application, phone, f"sip:x@inside.example:{trap.port}")


def test_only_the_networks_that_are_listed_are_called(own_server, application, phone, called_phone, calls, trap):
    server = own_server({"sip": {"allow_targets": ["127.0.0.2/32"]}})
    call_fails(server, application, phone, f"sip:x@{trap.host}:{trap.port}")
    callee = called_phone(server, address="127.0.0.2")
    application.replies["newCall"] = calls(callee)
    caller = phone(server)
    caller.call()
    callee.wait_request("ACK")
    caller.hang_up()
    callee.wait_request("BYE")
    application.wait_for("sessionCompleted", 2)


def test_a_trunk_goes_wherever_the_operator_says(own_server, application, phone, called_phone):
    callee_port = []

    def make():
        return own_server({"sip": ELSEWHERE}, trunks=[{"name": "in", "allow": ["127.0.0.0/8"]},
                                                      {"name": "out", "proxy": f"sip:127.0.0.3:{callee_port[0]}", "hosts": ["carrier.example"]}])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.3", 0))
        callee_port.append(free.getsockname()[1])
    server = make()
    callee = called_phone(server, address="127.0.0.3")
    server.file.write_text(server.file.read_text().replace(f"127.0.0.3:{callee_port[0]}", f"127.0.0.3:{callee.port}"))
    server.reload(lambda text: text)
    application.replies["newCall"] = {"action": "call", "destAddr": "sip:x@carrier.example"}
    caller = phone(server)
    caller.call()
    callee.wait_request("ACK")
    callee.hang_up()  # and what it says is answered where it came from
    caller.wait_request("BYE")
    application.wait_for("sessionCompleted")


@pytest.mark.parametrize("where", ["Contact", "Record-Route"])
def test_what_a_caller_names_is_not_gone_to(own_server, application, phone, trap, where):
    """The BYE goes where the caller itself has come from."""
    server = own_server({"sip": ELSEWHERE})
    application.replies["newCall"] = {"action": "ivr"}
    application.replies["getIvrCommand"] = {"getIVRCommandAfter": 30}
    caller = phone(server)
    uri = f"<sip:x@{trap.host}:{trap.port};transport=tcp;lr>"

    class Elsewhere(type(caller)):
        contact = uri
    if where == "Contact":
        caller.__class__ = Elsewhere
    caller.call(extra="" if where == "Contact" else f"Record-Route: {uri}\r\n")
    told = application.wait_for("getIvrCommand").body
    assert server.post("hangupcall", {"replyId": told["replyId"]}).status == 200
    caller.wait_request("BYE")
    application.wait_for("sessionCompleted")
    assert refused(server) > 0


def test_what_a_caller_names_is_gone_to_where_it_may(own_server, application, phone):
    server = own_server({"sip": {"allow_targets": ["127.0.0.9/32"]}})
    application.replies["newCall"] = {"action": "ivr"}
    application.replies["getIvrCommand"] = {"hangup": True}
    with socket.create_server(("127.0.0.9", 0)) as contact:
        uri = f"<sip:x@127.0.0.9:{contact.getsockname()[1]};transport=tcp>"
        caller = phone(server)

        class Elsewhere(type(caller)):
            pass
        Elsewhere.contact = uri
        caller.__class__ = Elsewhere
        caller.call()
        contact.settimeout(20)
        with contact.accept()[0] as connection:
            data = connection.recv(65536).decode()
            assert data.startswith("BYE ")
            lines = [one for one in data.split("\r\n") if one.lower().startswith(("via", "from", "to:", "call-id", "cseq"))]
            connection.sendall(("SIP/2.0 200 OK\r\n" + "\r\n".join(lines) + "\r\nContent-Length: 0\r\n\r\n").encode())
            application.wait_for("sessionCompleted")
        caller.abandon()
    wait_until(lambda: server.metrics()["ringwright_sessions"] == 0, "the session is still there")
