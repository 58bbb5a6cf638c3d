"""newCall: what the application is told, and what its answer does."""

import pytest
from support.application import Raw

DROP_CODES = {"busy": 486, "error": 500, "numberNotFound": 404, "numberNotActive": 403, "dropNoMsg": 603, "temporarilyUnavailable": 480}


@pytest.mark.parametrize("code,status", DROP_CODES.items())
def test_each_drop_code_has_its_status(server, application, phone, code, status):
    application.replies["newCall"] = {"action": "drop", "dropCode": code}
    assert phone().refused().status == status
    application.completed("rejected")
    assert application.events("callAnswered") == []


@pytest.mark.short
def test_drop_without_a_code_is_603(server, application, phone):
    application.replies["newCall"] = {"action": "drop"}
    assert phone().refused().status == 603
    application.completed("rejected")


def test_every_documented_member(server, application, phone):
    application.replies["newCall"] = {"action": "drop"}
    caller = phone(user="100")
    extra = ("P-Asserted-Identity: \"Carl Carlsson\" <sip:+46890510@carrier.example>\r\nX-One: 1\r\nX-Many: a\r\nX-Many: b\r\nP-Charge: c\r\n"
             "Diversion: <sip:user@domain.com>;reason=time-of-day\r\nReferred-By: <sip:referrer@referrer.example>\r\nSubject: hello\r\n"
             "X-Trace-Id: trace-7\r\n")
    caller.refused(extra=extra, from_header='"Someone" <sip:from-user@caller.example>')
    body = application.wait_for("newCall").body
    assert body["callingParty"] == body["paiNumber"] == "+46890510"
    assert body["displayName"] == "Carl Carlsson"
    assert body["fromUser"] == "from-user"
    assert body["callingPartyPrivacy"] == "public"
    assert body["calledParty"] == "100"
    assert body["sipCallId"] == caller.call_id
    assert body["srcAddr"] == body["ivrServer"] == "127.0.0.1"
    assert body["xHeaders"] == {"x-one": "1", "x-many": ["a", "b"], "x-trace-id": "trace-7"}
    assert body["pHeaders"]["p-charge"] == "c"
    assert "x-one" in body["copyHeaders"]
    assert body["diversionHeaders"] == "<sip:user@domain.com>;reason=time-of-day"
    assert body["referredBy"] == "<sip:referrer@referrer.example>"
    assert body["subject"] == "hello"
    assert body["traceId"] == "trace-7"
    for name in ("sessionId", "participantId", "replyId", "httpTransactionId"):
        assert body[name]
    assert application.completed("rejected")["traceId"] == "trace-7"


def test_a_caller_who_asks_for_privacy_is_secret(server, application, phone):
    application.replies["newCall"] = {"action": "drop"}
    phone().refused(extra="Privacy: id\r\n")
    assert application.wait_for("newCall").body["callingPartyPrivacy"] == "secret"
    application.completed("rejected")


def test_the_session_reference_is_any_json_and_can_be_replaced(server, application, phone):
    application.replies["newCall"] = {"action": "ivr", "sessionReferenceId": {"foo": [1, None]}}
    application.replies["getIvrCommand"] = [{"phrases": [{"fileName": "a"}], "sessionReferenceId": 7}, {"hangup": True}]
    caller = phone()
    caller.call()
    caller.wait_request("BYE")
    application.completed("normal")
    assert application.wait_for("callAnswered").body["sessionReferenceId"] == {"foo": [1, None]}
    assert application.wait_for("getIvrCommand", 1).body["sessionReferenceId"] == {"foo": [1, None]}
    assert application.wait_for("getIvrCommand", 2).body["sessionReferenceId"] == 7
    assert application.wait_for("sessionCompleted").body["sessionReferenceId"] == 7


@pytest.mark.parametrize("reply,error", [
    (Raw(), "newCall response empty"),
    ({}, "newCall response without action"),
    ({"action": "dance"}, "newCall response with unknown action"),
    (Raw(body=b"not json"), "newCall request failed"),
    (Raw(body=b"[1]"), "newCall request failed"),
    (Raw(status=404), "newCall request failed"),
    ({"action": "drop", "dropCode": "nonsense"}, "newCall request failed"),
    ({"action": ["ivr"]}, "newCall request failed"),
])
def test_an_unusable_answer_is_an_alarm_and_480(server, application, phone, reply, error):
    application.replies["newCall"] = reply
    answer = phone().refused()
    assert answer.status == 480
    assert answer.header("Retry-After")
    assert application.wait_alarm(error)["type"] == "newCallEventError"
    application.completed("error")


def test_an_unknown_number_or_domain_is_not_found_and_nobody_is_asked(server, application, phone):
    assert phone(user="999").refused().status == 404
    assert phone(domain="nobody.example").refused().status == 404
    assert application.requests == []


def test_an_offer_that_can_not_be_served(server, application, phone):
    caller = phone(codecs=(18,))
    assert caller.refused().status == 488
    alarm = application.wait_alarm("invalidSdp")
    assert alarm["type"] == "callError"
    assert alarm["errorDetails"]["description"]
    application.completed("error")
    assert application.events("newCall") == []


def test_the_called_domain_may_be_named_by_its_alias(server, application, phone):
    application.replies["newCall"] = {"action": "drop"}
    phone(domain="127.0.0.1").refused()
    assert application.wait_for("newCall").body["domain"] == "demo.example"
    application.completed("rejected")


def test_identify_calls_asks_for_the_identifier_first(own_server, application, phone):
    server = own_server(service={"identify_calls": True})
    application.replies["getCallIdentifier"] = {"sessionReferenceId": {"id": 5}}
    application.replies["getIvrCommand"] = {"hangup": True}
    caller = phone(on=server)
    caller.call()
    caller.wait_request("BYE")
    application.completed("normal")
    assert application.wait_for("getCallIdentifier").body["calledParty"] == "100"
    assert application.wait_for("getIvrCommand").body["sessionReferenceId"] == {"id": 5}
