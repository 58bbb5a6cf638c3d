#!/usr/bin/env python3
"""Reminds people of their appointments by phone: "1 to confirm, 2 to cancel". Who does not answer is called once more.

Run: python3 application.py [PORT [FILE]]; Ringwright's callback_url is then http://127.0.0.1:PORT. FILE has a line for each
appointment: the address to call, and when it is. When all have been called, the outcome of each is printed, and that is all.
"""

import csv
import pathlib
import queue
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1]))
from ringwright import command, pressed, say, server  # noqa: E402

AT_A_TIME = 2
TRIES = 2
OUTCOMES = {"1": "confirmed", "2": "cancelled"}
FILE = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else pathlib.Path(__file__).with_name("appointments.csv")

appointments = [{"address": address, "when": when, "outcome": "", "ends": queue.Queue()} for address, when in csv.reader(FILE.open())]


def next_command(request):
    """The one who has answered is in the IVR. sessionReferenceId says which appointment it is about, and if the question has been put."""
    about = request["sessionReferenceId"]
    one = appointments[about["appointment"]]
    if "asked" in about and pressed(request) in OUTCOMES:
        one["outcome"] = OUTCOMES[pressed(request)]
        return {"phrases": [say(f"Your appointment is {one['outcome']}. Goodbye.")], "hangup": True}
    return {
        "sessionReferenceId": {**about, "asked": True},
        "phrases": [say(f"You have an appointment {one['when']}. Press 1 to confirm, or 2 to cancel.")],
        "dtmf": {"maxDigits": 1, "firstTimeout": 10, "flush": True},
        "bargeIn": "all",
    }


def completed(session):
    """The last callback of each session, whatever became of it: busy, noAnswer, failed, normal…"""
    appointments[session["sessionReferenceId"]["appointment"]]["ends"].put(session["reason"])
    return {}


def remind(number):
    """Calls, and once more if nobody answered; waits for the end of each call."""
    one = appointments[number]
    for _ in range(TRIES):
        answer = command("placeivrcall", destAddr=one["address"], maxRingTime=25, sessionReferenceId={"appointment": number})
        reason = one["ends"].get() if answer["success"] else answer["reason"]
        if one["outcome"] or reason == "normal":
            break
    one["outcome"] = one["outcome"] or ("not confirmed" if reason == "normal" else reason)


callbacks = server({"getIvrCommand": next_command, "sessionCompleted": completed})
threading.Thread(target=callbacks.serve_forever, daemon=True).start()
with ThreadPoolExecutor(AT_A_TIME) as pool:
    list(pool.map(remind, range(len(appointments))))
for one in appointments:
    print(f"{one['address']} {one['when']}: {one['outcome']}")
time.sleep(1)  # the last callback still gets its answer
