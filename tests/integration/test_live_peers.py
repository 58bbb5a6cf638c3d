"""A conversation between phones that other people have written."""

from support.live_peers import Baresip, Linphone


def test_linphone_and_baresip_hear_each_other(server, application):
    callee, caller = Baresip(440), Linphone(900)
    try:
        application.replies["newCall"] = {"action": "call", "destAddr": callee.uri}
        caller.call("sip:100@{}:{}".format(*server.sip_udp))
        callee.wait_for_tone(900)
        caller.wait_for_tone(440)
        caller.hang_up()
        assert application.wait_for("callEvent").body["event"] == "callingPartyDrop"
        callee.wait_for("session closed")
        application.completed("normal")
    finally:
        caller.close()
        callee.close()
