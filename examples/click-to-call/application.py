#!/usr/bin/env python3
"""Click to call: a web page asks for two phones. The first one rings; when it has been picked up, the second one, and the two are connected.

Run: python3 application.py [PORT]; Ringwright's callback_url is then http://127.0.0.1:PORT, and so is the page.
"""

import pathlib
import sys

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1]))
from ringwright import command, say, server  # noqa: E402

states = {}  # by sessionId: what the page shows


def tell(session, state, over=False):
    states[session["sessionId"]] = {"state": state, "over": over}


def call(form):
    """From the page. sessionReferenceId keeps whom to ring when the first one has answered."""
    answer = command("placeivrcall", destAddr=form["from"], maxRingTime=30, sessionReferenceId={"ring": form["to"]})
    if answer["success"]:
        states.setdefault(answer["sessionId"], {"state": "your phone rings", "over": False})
    return answer


def state(form):
    return states.get(form["sessionId"], {"state": "unknown", "over": True})


def next_command(request):
    """The first one has answered."""
    ring = request["sessionReferenceId"]["ring"]
    if not ring:
        return {"phrases": [say("Sorry, nobody answers there. Goodbye.")], "hangup": True}
    tell(request, "the other phone rings")
    return {"phrases": [say("We connect you.")], "action": "call", "destAddr": ring, "maxRingTime": 30}


def call_event(event):
    if event["event"] == "calledPartyFailure":
        return {"action": "ivr", "sessionReferenceId": {"ring": ""}}
    return {"action": "drop"}


def answered(connection):
    if states.get(connection["sessionId"], {}).get("state") == "the other phone rings":
        tell(connection, "connected")
    return {}


def completed(session):
    tell(session, f"over: {session['reason']}", over=True)
    return {}


server({"call": call, "state": state, "getIvrCommand": next_command, "callEvent": call_event, "callAnswered": answered,
        "sessionCompleted": completed}, pathlib.Path(__file__).with_name("page.html").read_text()).serve_forever()
