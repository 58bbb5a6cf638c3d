"""Which trunk a call goes over: phones of the house are called directly, telephone numbers go over the carrier's."""

from types import SimpleNamespace

import pytest

NOT_YET = SimpleNamespace(sip_udp=None, domain="demo.example")  # the server of a phone whose port has to be known first


@pytest.fixture
def house(own_server, called_phone, application):
    """A server with carriers, each with what `trunks` says of it, and the carriers' phones."""
    application.replies["getIvrCommand"] = {"hangup": True}

    def make(*trunks):
        carriers = [called_phone(NOT_YET) for _ in trunks]
        server = own_server(trunks=[{"name": f"carrier-{at}", "proxy": f"sip:127.0.0.1:{carriers[at].port};transport=udp", **trunk}
                                    for at, trunk in enumerate(trunks)])
        for one in carriers:
            one.server_address = server.sip_udp
        return server, carriers

    return make


def takes(server, application, who, address):
    before = len(application.events("sessionCompleted"))
    assert server.post("placeivrcall", {"destAddr": address}).status == 200
    assert who.wait_request("INVITE").start.startswith(f"INVITE {address} ")
    who.wait_request("BYE")
    application.wait_for("sessionCompleted", before + 1)


@pytest.mark.parametrize("trunk", [{}, {"hosts": ["*"]}])
def test_a_phone_of_the_house_is_not_called_over_the_carrier(house, application, called_phone, trunk):
    server, (carrier,) = house(trunk)
    inside = called_phone(server)
    takes(server, application, inside, inside.uri)
    takes(server, application, carrier, "sip:bob@elsewhere.example")
    assert carrier.requests.empty()


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.0/8"])
def test_an_inner_network_goes_over_the_trunk_that_names_it(house, application, host):
    server, (carrier, _) = house({"hosts": [host]}, {})
    takes(server, application, carrier, "sip:bob@127.0.0.1:9")


def test_a_telephone_number_goes_over_the_only_trunk(house, application):
    server, (carrier,) = house({"hosts": ["carrier.example"]})
    takes(server, application, carrier, "tel:+46701234567")


def test_a_telephone_number_goes_over_the_trunk_that_takes_numbers(house, application):
    server, (_, carrier) = house({}, {"hosts": ["carrier.example"], "tel": True})
    takes(server, application, carrier, "tel:+46701234567")


def test_a_telephone_number_that_no_trunk_takes_is_refused_with_what_to_do(house):
    server, _ = house({"hosts": ["a.example"]}, {"hosts": ["b.example"]})
    answer = server.post("placeivrcall", {"destAddr": "tel:+46701234567"})
    assert answer.status == 400
    assert "tel = true" in answer.body["reason"]
