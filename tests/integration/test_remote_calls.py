"""Calls of REST devices: the server is their SIP user agent, media runs directly between them and the phones."""

import re

import pytest
from support.application import Application
from support.device import Device
from support.rtp_peer import sine
from support.tokens import Key

SUITES = [{"id": 1, "suite": "AES_CM_128_HMAC_SHA1_80", "config": "inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz|2^20|1:4"},
          {"id": 2, "suite": "AES_CM_128_HMAC_SHA1_32", "config": "inline:NzB4d1BINUAvLEw6UzF3WSJ+PSdFcGdUJShpX1Zj"},
          {"id": 3, "suite": "AEAD_AES_256_GCM", "config": "inline:HGAPy4Cedy/qumbZvpuCZSVT7rNDk8vG4TdUXp5hkyWqJCqiLRGab0KJy1g=|2^48"}]


def keys(**more):
    return {"allow_media": ["127.0.0.0/8"], "devices": ["door"], **more}


@pytest.fixture
def lab(own_server):
    return own_server({"fetch": {"allow": ["127.0.0.0/8"]}}, domain_keys=keys(allow_callbacks=["http://127.0.0.1:*/side"]))


@pytest.fixture
def door(lab):
    device = Device(lab)
    yield device
    device.close()


@pytest.fixture
def incoming(lab, application, phone, door):
    """A phone has called the device, whose application knows."""

    def make(**invite):
        caller = phone(lab, user="door")
        caller.invite(**invite)
        return caller, application.wait_for("newRemoteCall").body

    return make


@pytest.fixture
def talking(incoming, application, door):
    """... and the device has answered."""

    def make(**invite):
        caller, call = incoming(**invite)
        assert door.answer(call).status == 200
        answer = caller.wait_final()
        assert answer.status == 200
        caller.follow(answer)
        caller.ack()
        answered = application.wait_for("callAnswered").body
        door.follow(answered)
        return caller, answered, answer

    return make


def hear_each_other(phone, device):
    phone.rtp.keep_speaking(sine(500, 1))
    device.rtp.keep_speaking(sine(900, 1))
    device.rtp.wait_for_tone(500)
    phone.rtp.wait_for_tone(900)


def secure(sdp, cryptos):
    lines = "".join(f"a=crypto:{one['id']} {one['suite']} {one['config']}\r\n" for one in cryptos)
    return sdp.replace("RTP/AVP", "RTP/SAVP") + lines


def version(sdp):
    return int(re.search(r"o=\S+ \d+ (\d+)", sdp).group(1))


# ---- calls to a device


@pytest.mark.short
def test_a_device_is_called_and_answers(lab, application, talking, door):
    application.replies["newRemoteCall"] = {"sessionReferenceId": "order-7"}
    caller, answered, answer = talking()
    call = application.events("newRemoteCall")[0].body
    assert (call["codec"], call["remoteRtpIp"], call["remoteRtpPort"]) == ("PCMA", "127.0.0.1", caller.rtp.port)
    assert (call["telephoneEventPayloadType"], call["sourceUser"], call["callId"]) == (101, "alice", caller.call_id)
    assert call["destinationUri"] == f"sip:door@{lab.domain}"
    assert f"m=audio {door.rtp.port} RTP/AVP 8 101" in answer.body
    assert answered["remoteRtpPort"] == str(caller.rtp.port)
    assert (answered["callingPartyNumber"], answered["remotePartyNumber"], answered["sessionReferenceId"]) == ("alice", "door", "order-7")
    hear_each_other(caller, door)
    assert lab.metrics()["ringwright_rtp_ports_in_use"] == 0
    caller.hang_up()
    event = application.wait_for("callEvent").body
    assert (event["event"], event["connectionId"]) == ("callingPartyDrop", answered["connectionId"])
    application.completed("normal")
    assert application.events("newCall") == []


def test_digits_pass_both_ways(talking, door):
    caller, _, _ = talking()
    caller.rtp.press("5")
    door.rtp.press("9")
    for peer, event in ((door.rtp, 5), (caller.rtp, 9)):
        peer.wait_until(lambda: any(one.payload_type == 101 and one.payload[0] == event for one in peer.packets))


def test_crypto_passes_through_untouched(application, incoming, phone, door, lab):
    caller = phone(lab, user="door")
    caller.invite(sdp=secure(caller.sdp(), SUITES))
    call = application.wait_for("newRemoteCall").body
    assert call["crypto"] == SUITES
    mine = {**SUITES[1], "config": "inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj|2^20"}
    assert door.answer(call).status == 400
    assert door.answer(call, crypto=[{**mine, "id": 3}]).status == 400
    assert door.answer(call, crypto=[mine]).status == 200
    answer = caller.wait_final()
    assert re.findall(r"a=crypto:(.*)\r", answer.body) == [f"2 {mine['suite']} {mine['config']}"]
    assert "RTP/SAVP" in answer.body
    caller.ack()
    application.wait_for("callAnswered")


def test_an_answer_may_set_the_sessions_reference(application, incoming, door):
    caller, call = incoming()
    assert "sessionReferenceId" not in call
    assert door.answer(call, sessionReferenceId={"of": ["the", "answer"]}).status == 200
    assert caller.wait_final().status == 200
    caller.ack()
    assert application.wait_for("callAnswered").body["sessionReferenceId"] == {"of": ["the", "answer"]}
    caller.hang_up()
    assert application.completed("normal")["sessionReferenceId"] == {"of": ["the", "answer"]}


def test_ringback(incoming, door):
    caller, call = incoming()
    assert door.ring_back(call).status == 200
    while caller.wait_response(method="INVITE").status != 180:
        pass
    assert door.answer(call).status == 200
    assert caller.wait_final().status == 200
    caller.ack()
    assert door.ring_back(call).status == 409
    assert door.answer(call).status == 409


def test_busy(application, incoming, door):
    caller, call = incoming()
    assert door.hang_up(call).status == 200
    assert caller.wait_final().status == 486
    caller.ack_refusal()
    application.completed("apiHangup")
    assert door.answer(call).status == 404


def test_the_caller_gives_up(application, incoming, door):
    caller, call = incoming()
    caller.cancel()
    assert caller.wait_final().status == 487
    caller.ack_refusal()
    application.completed("cancelled")
    assert door.answer(call).status == 404
    assert application.events("callEvent") == []


def test_the_device_hangs_up(application, talking, door):
    caller, answered, _ = talking()
    assert door.hang_up(answered).status == 200
    caller.wait_request("BYE")
    application.completed("apiHangup")
    assert application.events("callEvent") == []


def test_an_application_that_is_away(application, phone, lab):
    from support.application import Raw

    application.replies["newRemoteCall"] = Raw(500)
    refusal = phone(lab, user="door").refused()
    assert refusal.status == 480
    assert refusal.header("Retry-After")
    application.wait_alarm("newCall request failed")
    application.completed("error")


def test_a_fallback_that_is_always_is_for_devices_too(application, phone, lab):
    entry = {"mode": "always", "expiration": "DAY", "command": {"action": {"type": "hangup"}}}
    assert lab.request("POST", f"/cache/{lab.domain}/ivrfallback", entry).status == 200
    assert phone(lab, user="door").refused().status == 480
    application.completed("rejected")
    assert application.wait_alarm("triggeredByAlways")["errorDetails"]["calledParty"] == "door"
    assert application.events("newRemoteCall") == []


def test_late_offer(application, incoming, door):
    caller, call = incoming(sdp="")
    assert "remoteRtpIp" not in call and "codec" not in call
    assert door.answer(call).status == 200
    offer = caller.wait_final()
    assert f"m=audio {door.rtp.port} RTP/AVP 8 101" in offer.body
    caller.follow(offer)
    caller.ack(caller.sdp())
    answered = application.wait_for("callAnswered").body
    assert answered["remoteRtpPort"] == str(caller.rtp.port)
    door.follow(answered)
    hear_each_other(caller, door)


def test_an_offer_that_no_device_can_take(application, phone, lab):
    caller = phone(lab, user="door", codecs=(18,), offer_telephone_event=False)
    assert caller.refused().status == 488
    application.wait_alarm("invalidSdp")
    application.completed("error")
    assert application.events("newRemoteCall") == []


# ---- inside a call


def test_hold_and_a_new_address(application, talking, door):
    caller, _, answer = talking()
    for count, (direction, hold) in enumerate((("sendonly", True), ("sendrecv", False)), 1):
        caller.invite(sdp=caller.sdp(direction, port=7000))
        reply = caller.wait_final()
        caller.ack()
        assert f"m=audio {door.rtp.port} " in reply.body
        assert ("a=recvonly" in reply.body) == hold
        assert version(reply.body) == version(answer.body) + count
        notice = application.wait_for("callNotify", count).body
        assert (notice["event"], notice["hold"], notice["remoteRtpPort"]) == ("reInvite", hold, "7000")
    caller.invite(sdp=caller.sdp("sendrecv", port=7000))
    assert version(caller.wait_final().body) == version(answer.body) + 2
    caller.ack()
    caller.request("UPDATE", caller.sdp("inactive"))
    assert caller.wait_final("UPDATE").status == 200
    assert application.wait_for("callNotify", 4).body["event"] == "update"


def test_new_keys_in_a_call_are_told(application, incoming, phone, door, lab):
    caller = phone(lab, user="door")
    caller.invite(sdp=secure(caller.sdp(), SUITES))
    call = application.wait_for("newRemoteCall").body
    assert door.answer(call, crypto=[{**SUITES[1], "config": "inline:ours"}]).status == 200
    answer = caller.wait_final()
    caller.ack()
    application.wait_for("callAnswered")
    theirs = {**SUITES[1], "config": "inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj"}
    caller.invite(sdp=secure(caller.sdp(), [theirs]))
    reply = caller.wait_final()
    caller.ack()
    assert re.findall(r"a=crypto:(.*)\r", reply.body) == re.findall(r"a=crypto:(.*)\r", answer.body) == [f"2 {theirs['suite']} inline:ours"]
    assert application.wait_for("callNotify").body["crypto"] == [theirs]


def test_info_is_taken_and_ignored(application, talking):
    caller, _, _ = talking()
    caller.request("INFO", "Signal=5\r\nDuration=100\r\n", content_type="application/dtmf-relay")
    assert caller.wait_final("INFO").status == 200


def test_the_server_refreshes_the_session(application, lab, door, called_phone):
    callee = called_phone(lab, pick_up=False)
    assert door.place(callee.uri).status == 200
    offer = callee.wait_request("INVITE")
    callee.auto_answer = False
    callee.answer(extra="Require: timer\r\nSession-Expires: 2;refresher=uac\r\n")
    callee.wait_request("ACK")
    for _ in range(2):
        refresh = callee.wait_request("INVITE")
        assert refresh.body == offer.body
        callee.respond(refresh, 200, callee.sdp(), extra=f"Contact: {callee.contact}\r\nRequire: timer\r\nSession-Expires: 2;refresher=uac\r\n")
        callee.wait_request("ACK")
    callee.auto_answer = True
    callee.hang_up()
    application.completed("normal")


def test_a_session_that_is_not_refreshed(application, talking):
    caller, _, _ = talking(extra="Supported: timer\r\nSession-Expires: 2;refresher=uac\r\n")
    caller.wait_request("BYE")
    assert application.wait_for("callEvent").body["errorDescr"]
    application.completed("sessionExpired")


# ---- calls of a device


@pytest.mark.short
def test_a_device_calls(application, lab, door, called_phone):
    callee = called_phone(lab)
    placed = door.place(callee.uri, traceId="trace-9", sessionReferenceId={"order": 7})
    assert placed.status == 200
    invite = callee.wait_request("INVITE")
    assert f"<sip:door@{lab.domain}>" in invite.header("From")
    assert f"m=audio {door.rtp.port} RTP/AVP 8 101" in invite.body
    assert application.wait_for("callNotify").body["event"] == "ringing"
    answered = application.wait_for("callAnswered").body
    assert answered["remoteRtpPort"] == str(callee.rtp.port)
    assert (answered["traceId"], answered["sessionReferenceId"], answered["calleeParticipantId"]) == ("trace-9", {"order": 7}, placed.body["participantId"])
    door.follow(answered)
    hear_each_other(callee, door)
    callee.hang_up()
    assert application.wait_for("callEvent").body["event"] == "calledPartyDrop"
    assert application.completed("normal")["sessionId"] == placed.body["sessionId"]


def test_its_crypto_is_offered(application, lab, door, called_phone):
    door.crypto = SUITES
    callee = called_phone(lab, pick_up=False)
    assert door.place(callee.uri).status == 200
    invite = callee.wait_request("INVITE")
    assert re.findall(r"a=crypto:(.*)\r", invite.body) == [f"{one['id']} {one['suite']} {one['config']}" for one in SUITES]
    chosen = {**SUITES[2], "config": "inline:theirs"}
    callee.answer(secure(callee.sdp(), [chosen]))
    assert application.wait_for("callAnswered").body["crypto"] == [chosen]


@pytest.mark.parametrize("status, reason", [(486, "busy"), (480, "noAnswer"), (503, "failed")])
def test_a_call_that_fails(application, lab, door, called_phone, status, reason):
    callee = called_phone(lab, pick_up=False)
    assert door.place(callee.uri).status == 200
    callee.wait_request("INVITE")
    callee.refuse(status)
    event = application.wait_for("callEvent").body
    assert (event["event"], event["sipResponseCode"]) == ("calledPartyFailure", status)
    application.completed(reason)


def test_nobody_answers_it(application, lab, door, called_phone):
    callee = called_phone(lab, pick_up=False)
    assert door.place(callee.uri, maxRingTime=0.3).status == 200
    callee.wait_request("CANCEL")
    application.completed("noAnswer")


def test_it_is_taken_back(application, lab, door, called_phone):
    callee = called_phone(lab, pick_up=False)
    placed = door.place(callee.uri)
    application.wait_for("callNotify")
    assert door.hang_up(placed.body).status == 200
    callee.wait_request("CANCEL")
    application.completed("apiHangup")


def test_callbacks_of_one_call_go_elsewhere(application, lab, door, called_phone):
    other = Application()
    try:
        callee = called_phone(lab)
        assert door.place(callee.uri, callbackBaseUrl=other.url + "/side/door").status == 200
        assert other.wait_for("callAnswered").event == "side/door/callAnswered"
        callee.hang_up()
        other.completed("normal")
        assert other.problems == []
        assert application.requests == []
        for url in (other.url, other.url + "/sideways", other.url + "/side/../x", "http://127.0.0.1:1@example.com/side", "https://127.0.0.1/side", "nonsense"):
            refusal = door.place(callee.uri, callbackBaseUrl=url)
            assert (refusal.status, refusal.body["reason"].split(":")[0]) == (403, "callbackBaseUrl"), url
    finally:
        other.close()


def test_another_mediaservice_of_the_domain_is_told(application, own_server, called_phone):
    other = Application()
    second = f'[[domains.mediaservices]]\nid = "second"\nnumbers = ["2*"]\ncallback_url = "{other.url}"\n'
    lab = own_server(domain_keys=keys(), more=second)
    door = Device(lab)
    try:
        callee = called_phone(lab)
        assert door.place(callee.uri, mediaserviceId="none").status == 404
        assert door.place(callee.uri, mediaserviceId="second").status == 200
        assert other.wait_for("callAnswered").body["callingPartyNumber"] == "door"
        callee.hang_up()
        other.completed("normal")
        assert other.problems == []
        assert application.requests == []
    finally:
        door.close()
        other.close()


# ---- what is refused


BAD = [({"codec": "opus"}, "codec"), ({"codec": None}, "codec"), ({"receiveIp": "phone.example"}, "receiveIp"),
       ({"receiveIp": "127.0.0.1\r\na=x"}, "receiveIp"), ({"receivePort": 0}, "receivePort"), ({"receivePort": 65536}, "receivePort"),
       ({"receivePort": "4000x"}, "receivePort"), ({"telephoneEventPayloadType": 8}, "telephoneEventPayloadType"), ({"crypto": "x"}, "crypto"),
       ({"crypto": [{"id": 1, "suite": "S", "config": "k"}]}, "crypto[0].config"),
       ({"crypto": [{"id": 1, "suite": "S", "config": "inline:k\r\na=x"}]}, "crypto[0].config"),
       ({"crypto": [{"id": -1, "suite": "S", "config": "inline:k"}]}, "crypto[0].id")]


@pytest.mark.parametrize("changes, field", BAD)
def test_bad_media(application, incoming, door, changes, field):
    for answer in (door.place("sip:bob@127.0.0.1:9", **changes),):
        assert (answer.status, answer.body["reason"].split(":")[0]) == (400, field)
    caller, call = incoming()
    answer = door.answer(call, **changes)
    assert (answer.status, answer.body["reason"].split(":")[0]) == (400, field)
    assert door.answer(call).status == 200  # nothing has changed
    assert caller.wait_final().status == 200
    caller.ack()
    application.wait_for("callAnswered")


@pytest.mark.parametrize("address", ["10.0.0.1", "224.0.0.1", "0.0.0.0", "::1"])
def test_a_media_address_that_is_not_allowed_is_forbidden(application, incoming, door, address):
    for answer in (door.place("sip:bob@127.0.0.1:9", receiveIp=address), door.answer(incoming()[1], receiveIp=address)):
        assert (answer.status, answer.body["error"], answer.body["reason"].split(":")[0]) == (403, "forbidden", "receiveIp")
    # What is malformed stays so, whatever the address is.
    assert door.place("sip:bob@127.0.0.1:9", receiveIp=address, receivePort=0).status == 400


def test_a_device_without_telephone_events_says_so_with_0(application, incoming, door):
    caller, call = incoming()
    assert door.answer(call, telephoneEventPayloadType=0).status == 200
    answer = caller.wait_final()
    assert answer.status == 200 and "telephone-event" not in answer.body
    caller.follow(answer)
    caller.ack()
    application.wait_for("callAnswered")


@pytest.mark.parametrize("changes, field", [({"destinationUri": None}, "destinationUri"), ({"destinationUri": "mailto:a@b"}, "destinationUri"),
                                            ({"sourceUser": ""}, "sourceUser"), ({"sourceUser": "a@other.example"}, "sourceUser"),
                                            ({"maxRingTime": -1}, "maxRingTime"), ({"traceId": "x" * 129}, "traceId")])
def test_bad_orders(door, changes, field):
    answer = door.place("sip:bob@127.0.0.1:9", **changes)
    assert (answer.status, answer.body["reason"].split(":")[0]) == (400, field)


def test_a_reply_id_of_something_else(application, lab, door, phone):
    caller = phone(lab)
    caller.call()
    call = application.wait_for("newCall").body
    assert door.answer(call).status == 400
    assert door.ring_back(call).status == 400
    assert door.answer({"replyId": "x.y.z"}).status == 400
    assert door.ring_back({"replyId": None}).status == 400
    caller.hang_up()


def test_a_reply_id_of_another_domain(application, own_server, phone):
    lab = own_server(domain_keys=keys(), second_domain=True)
    door = Device(lab)
    try:
        caller = phone(lab, user="door")
        caller.invite()
        call = application.wait_for("newRemoteCall").body
        for command, body in (("answerremotecalljwt", door.media()), ("sendremotecallringbackjwt", {}), ("hangupcalljwt", {})):
            body = {**body, "replyId": call["replyId"], "receiveIp": "8.8.8.8"}
            assert lab.post(command, body, domain="other.example").status == 403
        assert door.answer(call).status == 200
        assert caller.wait_final().status == 200
        caller.ack()
    finally:
        door.close()


def test_the_commands_need_their_credentials(own_server):
    key = Key("HS256")
    lab = own_server(domain_keys=keys(auth="token", jwt_secret=key.secret))
    for command in ("placeremotecall", "answerremotecall", "sendremotecallringback"):
        for name in (command, command + "jwt"):
            assert lab.post(name, {}).status == 401
        assert lab.post(command, {}, headers={"Authorization": "Bearer " + key.token(exp=4102444800)}).status == 401
        assert lab.post(command + "jwt", {}, headers={"Authorization": "Bearer " + key.token(exp=4102444800)}).status == 400
