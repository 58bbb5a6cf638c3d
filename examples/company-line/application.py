#!/usr/bin/env python3
"""A company's line: a menu, two phones one after the other, back to the menu, transfer, recorded calls, a voice mailbox.

Run: python3 application.py [PORT [PHONE…]]; Ringwright's callback_url is then http://127.0.0.1:PORT

Where a call stands travels in sessionReferenceId, which Ringwright brings along with every request. So nothing is kept here, and the
application may be restarted in the middle of a call.
"""

import pathlib
import sys

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1]))
from ringwright import pressed, say, server  # noqa: E402

PHONES = sys.argv[2:] or ["sip:phone@127.0.0.1:5081", "sip:phone@127.0.0.1:5083"]


def new_call(call):
    print(f"{call['callingParty']} calls {call['calledParty']}", flush=True)
    return {"action": "ivr", "sessionReferenceId": "menu"}


def menu(_):
    return {
        "sessionReferenceId": "choice",
        "phrases": [say("Press 1 to speak with somebody. Press 2 to leave a message.")],
        "dtmf": {"maxDigits": 1, "firstTimeout": 8},
        "bargeIn": "all",
    }


def choice(request):
    if pressed(request) == "1":
        return connect(request)
    if pressed(request) == "2":
        return mailbox(request, "")
    return menu(request)


def connect(request):
    """To the phones: when the phrase has been heard, the first one rings, and if it can't or won't answer, the next."""
    return {
        "phrases": [say("One moment, please.")],
        "action": "call",
        "destAddr": PHONES,
        "continueOn": ["busy", "declined"],
        "maxRingTime": 20,
        "callRecording": True,
        "recordingFileName": f"call-{request['sessionId']}.mp3",
    }


def mailbox(request, why="Nobody can take your call right now. "):
    return {
        "sessionReferenceId": "thanks",
        "phrases": [say(why + "Please speak after the tone, and press the hash key when you are done."),
                    {"format": "record", "fileName": f"message-{request['sessionId']}.wav", "maxDuration": 120}],
        "recordedCallback": True,
    }


def thanks(_):
    return {"phrases": [say("Thank you. Goodbye.")], "hangup": True}


def call_event(event):
    """The connection with a phone is over, or never came about."""
    if event["event"] == "calledPartyFailure":  # nobody answered
        return {"action": "ivr", "sessionReferenceId": "mailbox"}
    if event["event"] == "calledPartyDrop":  # the colleague hung up: back to the menu
        return {"action": "ivr", "sessionReferenceId": "menu"}
    if event["event"] == "refer":  # the colleague transfers the caller
        return {"action": "call", "destAddr": event["referTo"]}
    return {"action": "drop"}


STEPS = {"menu": menu, "choice": choice, "mailbox": mailbox, "thanks": thanks}


def recorded(recording):
    """A call's recording has a recordingFileName, a message of the mailbox a fileName."""
    print(recording["event"], recording.get("recordingFileName") or recording["fileName"], flush=True)
    return {}


EVENTS = {
    "newCall": new_call,
    "getIvrCommand": lambda request: STEPS[request["sessionReferenceId"]](request),
    "callEvent": call_event,
    "fileRecorded": recorded,
    "recordingReady": recorded,
}

if __name__ == "__main__":
    server(EVENTS).serve_forever()
