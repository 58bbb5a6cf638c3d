"""The measurements: each function runs one and returns its figures as a dictionary."""

import json
import subprocess
import time

from harness import TOOLS, Application, Callees, Server, Sink, Sipp, Talker, floor, relay_floor

SET_UP_RATE = 200  # calls per second while the legs of the play scenario are built up
WARM_UP_CALLS = 20


def wait_until(condition, seconds):
    """True as soon as `condition()` holds, false after `seconds`."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def warm_up(scenario, server, application, sink):
    """A few whole calls first, so that prompts, pools and connections are not charged to the measured ones."""
    with Sipp(scenario, server, sink, WARM_UP_CALLS, 50, 200) as sipp:
        sipp.finish(10)
    wait_until(lambda: application.counts().get("sessionCompleted", 0) >= WARM_UP_CALLS, 5)


def measure_floors(legs, seconds):
    """Into a sink like the server's: on loopback the sender pays for the delivery, time stamps and wake-ups included."""
    with Sink() as sink:
        return {how: floor(how, legs, seconds, sink.port) for how in ("sendto", "uring")}


def mean_floors(before, after):
    """Of one run before the server's window and one after it, since other work on the machine comes and goes."""
    return {how: (before[how] + after[how]) / 2 if before[how] and after[how] else None for how in before}


def play(legs, window):
    """`legs` callers listen to a long prompt; CPU, gaps and memory over `window` seconds after all are set up."""
    floors = measure_floors(legs, window / 2)
    with Application("play") as application, Sink() as sink, Server(application) as server:
        application.counts()
        server.upload_prompt()
        warm_up("playing_leg", server, application, sink)
        before = server.memory_kb()
        settle = 2
        hold = legs / SET_UP_RATE + settle + window + 3
        with Sipp("playing_leg", server, sink, legs, SET_UP_RATE, int(hold * 1000)) as sipp:
            all_play = wait_until(lambda: application.counts().get("callAnswered", 0) >= legs + WARM_UP_CALLS,
                                  legs / SET_UP_RATE + 3)
            time.sleep(settle)
            sink.reset()
            cpu, start = server.cpu_ms(), time.monotonic()
            time.sleep(window)
            cpu, elapsed = server.cpu_ms() - cpu, time.monotonic() - start
            packets = sink.report()
            during = server.memory_kb()
            result = sipp.finish(hold + 20)
        complaints = server.complaints()
    floors = mean_floors(floors, measure_floors(legs, window / 2))
    cheapest = min(price for price in floors.values() if price)
    cost = cpu / legs / elapsed
    return {"legs": legs, "set_up": all_play and result["failed"] == 0, "calls": result, "packets": packets,
            "ms_per_leg_second": cost, "floors": floors, "ratio": cost / cheapest,
            "expected_packets": int(legs * 50 * elapsed),
            "rss_kb_per_leg": (during["rss"] - before["rss"]) / legs,
            "anonymous_kb_per_leg": (during["pss_anon"] - before["pss_anon"]) / legs,
            "rss_kb_before": before["rss"], "complaints": complaints}


def short_calls(rate, seconds):
    """`rate` calls per second, each answered, asked about and hung up; what fails and what a call costs."""
    calls = int(rate * seconds)
    with Application("hangup") as application, Sink() as sink, Server(application) as server:
        application.counts()
        warm_up("short_call", server, application, sink)
        before, cpu = application.counts(), server.cpu_ms()
        with Sipp("short_call", server, sink, calls, rate) as sipp:
            result = sipp.finish(seconds + 45)
            elapsed = sipp.elapsed

        def events():
            now = application.counts()
            return {name: now.get(name, 0) - before.get(name, 0)
                    for name in ("newCall", "callAnswered", "getIvrCommand", "sessionCompleted")}

        wait_until(lambda: events()["sessionCompleted"] >= calls, 10)
        cpu, seen = server.cpu_ms() - cpu, events()
        complaints = server.complaints()
    clean = (result["succeeded"] == calls and result["failed"] == 0 and result["retransmissions"] == 0
             and all(count == calls for count in seen.values()))
    return {"rate": rate, "calls": calls, "sipp": result, "elapsed": elapsed, "events": seen, "clean": clean,
            "cpu_ms_per_call": cpu / calls, "complaints": complaints}


def record(calls, window):
    """The same relayed calls (PCMA), without a recording and recorded in each format: what recording adds to a call's CPU."""
    plain = [relay(calls, "PCMA", window)]
    recorded = {extension: relay(calls, "PCMA", window, extension) for extension in ("wav", "mp3", "ogg")}
    plain.append(relay(calls, "PCMA", window))
    base = sum(one["ms_per_call_second"] for one in plain) / 2
    return {"calls": calls, "plain": [one["ms_per_call_second"] for one in plain],
            "recorded": {extension: {"ms_per_call_second": one["ms_per_call_second"], "added": one["ms_per_call_second"] / base - 1,
                                     "set_up": one["set_up"], "rss_kb_per_call": one["rss_kb_per_call"] - plain[0]["rss_kb_per_call"],
                                     "complaints": one["complaints"]}
                         for extension, one in recorded.items()}}


def relay(calls, codec, window, recorded=None):
    """`calls` callers (PCMA) talk with callees that speak `codec`, both all the time; CPU, delay and memory. `recorded`: the extension of
    the file that each call is recorded into."""
    def floors():
        return {how: relay_floor(how, calls, window / 2) for how in ("plain", "uring")}

    before_floors = floors()
    with Talker("PCMA") as callers, Talker(codec) as callees, Callees(callees.port, codec) as answering, \
            Application(f"call:{answering.port}" + (f":{recorded}" if recorded else "")) as application, Server(application) as server:
        application.counts()
        warm_up("playing_leg", server, application, callers)
        before = server.memory_kb()
        settle = 2
        hold = calls / SET_UP_RATE + settle + window + 3
        with Sipp("playing_leg", server, callers, calls, SET_UP_RATE, int(hold * 1000)) as sipp:
            all_talk = wait_until(lambda: application.counts().get("callAnswered", 0) >= calls + WARM_UP_CALLS, calls / SET_UP_RATE + 3)
            time.sleep(settle)
            callers.reset()
            callees.reset()
            cpu, start = server.cpu_ms(), time.monotonic()
            time.sleep(window)
            cpu, elapsed = server.cpu_ms() - cpu, time.monotonic() - start
            heard = [callers.report(), callees.report()]
            during = server.memory_kb()
            result = sipp.finish(hold + 20)
        complaints = server.complaints()
    prices = mean_floors(before_floors, floors())
    cost = cpu / calls / elapsed
    return {"calls": calls, "codec": codec, "set_up": all_talk and result["failed"] == 0, "ms_per_call_second": cost, "floors": prices,
            "ratio": cost / min(price for price in prices.values() if price), "heard": heard, "expected_packets": int(calls * 50 * elapsed),
            "rss_kb_per_call": (during["rss"] - before["rss"]) / calls, "complaints": complaints}


def bridged_calls(rate, seconds):
    """`rate` calls per second, each of which rings a callee, is joined, and is hung up by the caller at once."""
    calls = int(rate * seconds)
    with Sink() as sink, Callees(sink.port, "PCMA") as answering, Application(f"call:{answering.port}") as application, \
            Server(application) as server:
        application.counts()
        warm_up("playing_leg", server, application, sink)
        before, cpu = application.counts(), server.cpu_ms()
        with Sipp("playing_leg", server, sink, calls, rate) as sipp:
            result = sipp.finish(seconds + 45)

        def events():
            now = application.counts()
            return {name: now.get(name, 0) - before.get(name, 0)
                    for name in ("newCall", "callNotify", "callAnswered", "callEvent", "sessionCompleted")}

        wait_until(lambda: events()["sessionCompleted"] >= calls, 10)
        cpu, seen = server.cpu_ms() - cpu, events()
        complaints = server.complaints()
    clean = (result["succeeded"] == calls and result["failed"] == 0 and result["retransmissions"] == 0
             and all(count == calls for count in seen.values()))
    return {"rate": rate, "calls": calls, "sipp": result, "events": seen, "clean": clean, "cpu_ms_per_call": cpu / calls,
            "complaints": complaints}


def latency(calls, rate):
    """From the caller's INVITE to newCall at the application, one call at a time; milliseconds."""
    with Application("hangup") as application, Sink() as sink, Server(application) as server:
        application.counts()
        return latency_on(server, application, sink, calls, rate)


def latency_on(server, application, sink, calls, rate):
    warm_up("short_call", server, application, sink)
    known = set(application.get("arrivals"))
    done = subprocess.run([TOOLS / "invite_latency", str(server.sip_port), str(sink.port), str(calls), str(rate)],
                          capture_output=True, text=True, timeout=calls / rate + 30, check=True)
    sent, arrived = json.loads(done.stdout), application.get("arrivals")
    times = sorted((arrived[call] - sent[call]) / 1e6 for call in sent if call in arrived and call not in known)
    if not times:
        return {"calls": calls, "rate": rate, "arrived": 0}
    return {"calls": calls, "rate": rate, "arrived": len(times), "p50": times[len(times) // 2],
            "p99": times[int(len(times) * 0.99)], "max": times[-1]}
