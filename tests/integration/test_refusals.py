"""Refusals outside dialogs: each has a To tag that nobody can guess, a repeated request the same again (RFC 3261 8.2.6.2, 8.2.7)."""

import re

import pytest
from support.plain_phone import PlainPhone


@pytest.fixture
def plain(server):
    phones = []

    def make(**more):
        phones.append(PlainPhone(server, **more))
        return phones[-1]

    yield make
    for one in phones:
        one.close()


HEAD = ("{method} {uri} SIP/{version}\r\nVia: SIP/2.0/UDP {host}:{port};branch=z9hG4bK{branch};rport\r\nFrom: <sip:alice@caller.example>;tag=1\r\n"
        "To: <sip:{domain}>\r\nCall-ID: {call_id}\r\nCSeq: 1 {method}\r\nMax-Forwards: 70\r\nContact: <sip:alice@{host}:{port}>\r\n{extra}Content-Length: 0\r\n\r\n")

REFUSED = {
    "a_domain_that_is_not_here": ({"method": "INVITE", "uri": "sip:100@nowhere.example"}, 404),
    "a_method_that_we_do_not_take": ({"method": "REGISTER"}, 405),
    "an_extension_that_we_do_not_know": ({"method": "OPTIONS", "extra": "Require: levitation\r\n"}, 420),
    "a_scheme_that_we_do_not_know": ({"method": "OPTIONS", "uri": "nosuch:x"}, 416),
    "a_dialog_that_is_not_here": ({"method": "BYE"}, 481),
    "a_request_that_can_not_be_read": ({"method": "OPTIONS", "extra": "no colon\r\n"}, 400),
    "another_version_of_sip": ({"method": "OPTIONS", "version": "3.0"}, 505),
    "what_we_can_do": ({"method": "OPTIONS"}, 200),
}


def tag_of(plain, fields, status, branch):
    phone = plain()
    fields = {"uri": "sip:{domain}", "version": "2.0", "extra": "", "branch": branch, **fields}
    text = HEAD
    for name, value in fields.items():
        text = text.replace("{" + name + "}", value)
    data = phone.fill(text).encode()
    phone.send_bytes(data)
    first = phone.expect([status])
    phone.send_bytes(data)
    second = phone.expect([status])
    tags = {re.search(r";tag=(\S+)", one.header("To")).group(1) for one in (first, second)}
    assert len(tags) == 1, f"a repeated request got another tag: {tags}"
    return tags.pop()


@pytest.mark.parametrize("name", REFUSED)
def test_each_refusal_has_a_tag_of_its_own(application, plain, name):
    fields, status = REFUSED[name]
    tags = {tag_of(plain, fields, status, f"{name}{number}") for number in range(3)}
    assert len(tags) == 3 and all(len(one) >= 12 for one in tags)


def test_a_server_that_is_full_gives_each_caller_a_tag_of_its_own(own_server, application):
    server = own_server({"limits": {"calls_per_second": 0.01}})
    phones = [PlainPhone(server) for _ in range(4)]
    try:
        tags = []
        for phone in phones:
            phone.send("INVITE", body="{sdp}")
            answer = phone.expect([200, 503])
            tags.append(re.search(r";tag=(\S+)", answer.header("To")).group(1))
        assert len(set(tags)) == len(tags)
    finally:
        for phone in phones:
            phone.close()
