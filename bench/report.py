"""Turns figures into the tables of docs/performance.md."""

import datetime
import os
import platform
import re
from pathlib import Path

TARGETS = {"wav_added": 0.30, "trust_added": 0.30, "cached_ms": 20.0, "new_ms": 150.0, "relay_ratio": 1.3, "delay": 2.0, "kb_per_call": 64.0, "bridged_rate": 400, "bridged_cpu_ms": 1.5, "ratio": 1.5, "p999": 25.0, "kb_per_leg": 40.0, "rate": 800, "cpu_ms_per_call": 0.7}


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    lines += ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def machine():
    model = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text())
    memory = int(re.search(r"MemTotal:\s+(\d+)", Path("/proc/meminfo").read_text())[1]) // (1 << 20)
    system = platform.freedesktop_os_release().get("PRETTY_NAME", "") if Path("/etc/os-release").exists() else ""
    return (f"{os.cpu_count()} cores ({model[1].strip() if model else platform.machine()}), {memory} GB, {system}, "
            f"kernel {platform.release()}, {datetime.date.today().isoformat()}, load average before the run "
            f"{os.getloadavg()[0]:.2f}")


def verdict(value, met):
    return f"**{value}**" if met else f"{value} (missed)"


def floor_cell(figures, how):
    return f"{figures['floors'][how]:.3f}" if figures["floors"][how] else "not allowed"


def play_tables(results):
    cost = table(
        ["legs", "server", "floor, send", "floor, io_uring", "server ÷ cheaper floor", "RSS per leg", "anonymous per leg"],
        [[r["legs"], f"{r['ms_per_leg_second']:.3f}", floor_cell(r, "sendto"), floor_cell(r, "uring"),
          f"{r['ratio']:.2f}", f"{r['rss_kb_per_leg']:.1f} KB", f"{r['anonymous_kb_per_leg']:.1f} KB"] for r in results])
    gaps = table(
        ["legs", "streams", "packets of expected", "lost", "p50", "p99", "p99.9", "longest", "streams with a gap > 60 ms"],
        [[r["legs"], r["packets"]["streams"], f"{100 * r['packets']['packets'] / r['expected_packets']:.2f} %",
          r["packets"]["lost"], *(f"{r['packets']['gap_ms'][p]:.2f}" for p in ("p50", "p99", "p999", "max")),
          r["packets"]["streams_over_60ms"]] for r in results])
    return ("## Playing a prompt\n\nServer CPU (user and system, all threads) in ms per leg-second, beside what the kernel alone charges\n"
            "for the same packets, measured before and after; memory is what the legs added.\n\n" + cost +
            "\nTime between two packets of a stream in ms, by the kernel's time stamps at the receiver.\n\n" + gaps + "\n")


def calls_table(results):
    rows = []
    for r in results:
        rows.append([r["rate"], r["calls"], "yes" if r["clean"] else "no", r["sipp"]["failed"], r["sipp"]["retransmissions"],
                     *(r["events"][e] for e in ("newCall", "callAnswered", "getIvrCommand", "sessionCompleted")),
                     f"{r['cpu_ms_per_call']:.2f}"])
    return ("## Calls per second\n\nINVITE, newCall, 200, callAnswered, getIvrCommand, BYE from the server, sessionCompleted. A step is clean if\n"
            "no call failed, SIPp sent nothing twice, and each event came exactly once for each call.\n\n" + table(
        ["calls/s", "calls", "clean", "failed", "retransmissions", "newCall", "callAnswered", "getIvrCommand",
         "sessionCompleted", "server CPU, ms per call"], rows) + "\n")


def relay_table(results):
    rows = []
    for r in results:
        stamped = r["codec"] == "PCMA"
        delays = [max(side["delay_ms"][p] for side in r["heard"]) for p in ("p50", "p99", "max")]
        arrived = sum(side["packets"] for side in r["heard"]) / (2 * r["expected_packets"])
        rows.append([r["codec"], r["calls"], f"{r['ms_per_call_second']:.3f}", floor_cell(r, "plain"), floor_cell(r, "uring"),
                     f"{r['ratio']:.2f}", *(f"{d:.2f}" if stamped else "–" for d in delays), f"{100 * arrived:.2f} %",
                     f"{r['rss_kb_per_call']:.1f} KB", "yes" if r["set_up"] else "no"])
    return ("## Relayed calls\n\nThe callers speak PCMA, the callees what the first column says, both without a pause. Server CPU in ms per\n"
            "call-second, beside what the kernel alone charges for the same packets; the delay is from one phone's `send` to the\n"
            "other's socket, in ms, the worse of both directions.\n\n" + table(
        ["callees", "calls", "server", "floor, plain", "floor, io_uring", "server ÷ cheaper floor", "delay p50", "p99", "longest",
         "packets of expected", "RSS per call", "all set up"], rows) + "\n")


def record_table(results):
    text = ("## Recorded calls\n\nRelayed calls, PCMA on both sides, both talking without a pause; each is recorded into a file of its own. `added` is\n"
            "what the recording adds to the server's CPU for the same calls without one, measured before and after in the same run.\n\n")
    rows = []
    for r in results:
        rows.append([r["calls"], "none", " / ".join(f"{one:.3f}" for one in r["plain"]), "", "", ""])
        for extension, one in r["recorded"].items():
            rows.append([r["calls"], extension, f"{one['ms_per_call_second']:.3f}", f"{100 * one['added']:+.0f} %",
                         f"{one['rss_kb_per_call']:.1f} KB", "yes" if one["set_up"] else "no"])
    return text + table(["calls", "recorded as", "CPU, ms per call-second", "added", "more memory per call", "all set up"], rows) + "\n"


def audio_table(results):
    rows = [[name, f"{results[name]['p50']:.1f}", f"{results[name]['p99']:.1f}"] for name in ("cached file", "cached speech", "new speech")]
    return (f"## Reply to first audio\n\nFrom the application's reply to getIvrCommand to the first packet that is not silence, in ms, {results['calls']} calls each, one\n"
            "after the other; packets go out every 20 ms, so 10 ms on average are the wait for the next one. New speech is three sentences by the\n"
            "embedded engine, different ones in each call.\n\n" + table(["what is heard", "p50", "p99"], rows) + "\n")


def trust_tables(results):
    placed, beside = results["placed"], results["neighbour"]
    rows = [[one["name"], one["calls"], "yes" if one["clean"] else "no", f"{one['cpu_ms_per_call']:.2f}",
             f"{one['outbox_ms_per_call']:.2f}", f"{100 * one['added']:+.0f} %"] for one in placed["variants"]]
    text = (f"## What trust costs\n\nA device places {placed['rate']} calls per second over the REST API and hangs up at once: placeremotecall, INVITE, callNotify,\n"
            "callAnswered, hangupcall, sessionCompleted. `added` is the server's CPU beside that of the same calls without authorisation\n"
            "and signatures, measured first and last. Notifications go through the outbox on the disk in all of them; what its\n"
            "thread, which writes and commits, takes of that CPU is told beside it.\n\n" +
            table(["with", "calls", "clean", "server CPU, ms per call", "of it the outbox", "added"], rows))
    rows = [[name, beside[name]["arrived"], *(f"{beside[name][p]:.2f}" for p in ("p50", "p99", "max"))]
            for name in ("alone", "beside one that hangs", "alone again")]
    return text + (f"\nINVITE to newCall of one domain in ms, {beside['calls']} calls each, while another domain takes 50 calls per second whose application\n"
                   "never answers.\n\n" + table(["", "calls", "p50", "p99", "longest"], rows) + "\n")


def bridged_table(results):
    events = ("newCall", "callNotify", "callAnswered", "callEvent", "sessionCompleted")
    rows = [[r["rate"], r["calls"], "yes" if r["clean"] else "no", r["sipp"]["failed"], r["sipp"]["retransmissions"],
             *(r["events"][e] for e in events), f"{r['cpu_ms_per_call']:.2f}"] for r in results]
    return ("## Bridged calls per second\n\nINVITE, newCall, 183, INVITE to the callee, callNotify, 200, 200, callAnswered, BYE from the caller, callEvent, BYE,\n"
            "sessionCompleted.\n\n" + table(
        ["calls/s", "calls", "clean", "failed", "retransmissions", *events, "server CPU, ms per call"], rows) + "\n")


def latency_text(r):
    if not r["arrived"]:
        return "## INVITE to newCall\n\nNo newCall arrived.\n"
    return (f"## INVITE to newCall\n\nFrom the caller's `send` to the application's parsed request, {r['arrived']} of {r['calls']} calls at "
            f"{r['rate']} per second: p50 {r['p50']:.2f} ms, p99 {r['p99']:.2f} ms, longest {r['max']:.2f} ms.\n\n")


def targets_table(results):
    rows = []
    at_1000 = next((r for r in results.get("play", []) if r["legs"] == 1000), None)
    if at_1000:
        gap, over = at_1000["packets"]["gap_ms"]["p999"], at_1000["packets"]["streams_over_60ms"]
        rows += [["CPU per leg, 1000 legs", "≤ 1.5 × floor", verdict(f"{at_1000['ratio']:.2f} ×", at_1000["ratio"] <= TARGETS["ratio"])],
                 ["p99.9 gap, 1000 legs", "≤ 25 ms", verdict(f"{gap:.2f} ms", 0 < gap <= TARGETS["p999"])],
                 ["streams with a gap > 60 ms, 1000 legs", "0", verdict(over, over == 0)],
                 ["memory per leg", "≤ 40 KB", verdict(f"{at_1000['rss_kb_per_leg']:.1f} KB",
                                                       at_1000["rss_kb_per_leg"] <= TARGETS["kb_per_leg"])]]
    calls = results.get("calls", [])
    if calls:
        best = max((r["rate"] for r in calls if r["clean"]), default=0)
        near = next((r for r in calls if r["rate"] == TARGETS["rate"]), calls[-1])
        rows += [["calls per second, clean", "≥ 800", verdict(best, best >= TARGETS["rate"])],
                 [f"server CPU per call at {near['rate']} calls/s", "≤ 0.7 ms",
                  verdict(f"{near['cpu_ms_per_call']:.2f} ms", near["cpu_ms_per_call"] <= TARGETS["cpu_ms_per_call"])]]
    relay = next((r for r in results.get("relay", []) if r["calls"] == 500 and r["codec"] == "PCMA"), None)
    if relay:
        delay = max(side["delay_ms"]["p99"] for side in relay["heard"])
        rows += [["CPU per relayed call, 500 calls", "≤ 1.3 × floor", verdict(f"{relay['ratio']:.2f} ×", relay["ratio"] <= TARGETS["relay_ratio"])],
                 ["p99 of the relay's delay", "≤ 2 ms", verdict(f"{delay:.2f} ms", 0 < delay <= TARGETS["delay"])],
                 ["memory per relayed call", "≤ 64 KB", verdict(f"{relay['rss_kb_per_call']:.1f} KB",
                                                                relay["rss_kb_per_call"] <= TARGETS["kb_per_call"])]]
    bridged = results.get("bridged", [])
    if bridged:
        best = max((r["rate"] for r in bridged if r["clean"]), default=0)
        near = next((r for r in bridged if r["rate"] == TARGETS["bridged_rate"]), bridged[-1])
        rows += [["bridged calls per second, clean", "≥ 400", verdict(best, best >= TARGETS["bridged_rate"])],
                 [f"server CPU per bridged call at {near['rate']} calls/s", "≤ 1.5 ms",
                  verdict(f"{near['cpu_ms_per_call']:.2f} ms", near["cpu_ms_per_call"] <= TARGETS["bridged_cpu_ms"])]]
    for r in results.get("record", []):
        added = r["recorded"]["wav"]["added"]
        rows.append([f"CPU added by recording as WAV, {r['calls']} calls", "≤ +30 %", verdict(f"{100 * added:+.0f} %", added <= TARGETS["wav_added"])])
    if results.get("trust"):
        for one in results["trust"]["placed"]["variants"]:
            if one["name"].startswith(("JWT,", "Signature V4,")):
                rows.append([f"CPU per placed call, added by {one['name']}", "≤ +30 %",
                             verdict(f"{100 * one['added']:+.0f} %", one["added"] <= TARGETS["trust_added"])])
    if results.get("audio"):
        for name, limit in (("cached file", "cached_ms"), ("cached speech", "cached_ms"), ("new speech", "new_ms")):
            p99 = results["audio"][name]["p99"]
            rows.append([f"reply to first audio, {name}, p99", f"≤ {TARGETS[limit]:.0f} ms", verdict(f"{p99:.1f} ms", p99 <= TARGETS[limit])])
    return table(["figure", "target", "measured"], rows) + "\n" if rows else ""


def document(results, command):
    text = ("# Performance\n\nWritten by `" + command + "`; run it again to get the figures of another machine. Server, load tools and\n"
            "application share the machine; everything is on loopback. Compare ratios, not milliseconds, between machines.\n\n"
            f"Machine: {results['machine']}.\n\n" + targets_table(results))
    if results.get("play"):
        text += play_tables(results["play"])
    if results.get("relay"):
        text += relay_table(results["relay"])
    if results.get("calls"):
        text += calls_table(results["calls"])
    if results.get("bridged"):
        text += bridged_table(results["bridged"])
    if results.get("record"):
        text += record_table(results["record"])
    if results.get("audio"):
        text += audio_table(results["audio"])
    if results.get("trust"):
        text += trust_tables(results["trust"])
    if results.get("latency"):
        text += latency_text(results["latency"])
    return text + METHOD


METHOD = """## How it is measured

`bench/run` compiles the tools in `bench/`, starts the release build of the server afresh for each row with a generated
configuration, and needs nothing but Debian's `g++`, `liburing-dev`, `sip-tester` and `python3`.

- **Floor** (`bench/floor.cpp`): as many connected sockets as legs, one packet of 172 bytes each 20 ms, in slots of 1 ms, into the same kind of receiver; by `send`
  and by io_uring. Nothing else is done, so no server on this machine can cost less.
- **Playing** (`bench/sipp/playing_leg.xml`): the legs are set up at 200 per second; the window begins 2 s after the last callAnswered,
  while all of them hear a prompt of 90 s. 20 calls before it are not counted, in memory neither. CPU is from `/proc/PID/stat`,
  memory from `smaps_rollup`. `bench/rtp_sink.cpp` receives all streams and closes each one's last gap at the window's end.
- **Relayed calls** (`bench/rtp_talker.cpp`, `bench/sipp/callee.xml`): the application answers newCall with `call`; two talkers are
  all phones of either side and send a packet each 20 ms on every stream that they hear of. `bench/relay_floor.cpp` passes the same
  packets between as many connected sockets and does nothing else. The delay includes the way through the kernel twice.
- **Recorded calls**: as relayed calls, with `callRecording`. The CPU includes encoding and writing to the disk, not the upload, which
  comes after the window. The memory is the ring of each side's packets and what holds the time line open.
- **Reply to first audio** (`bench/first_audio.py`): the time of the reply is taken before it is written, that of the packet by the kernel at the phone.
- **Calls** (`bench/sipp/short_call.xml`): 10 s at each rate. `bench/application.cpp` is the customer's application; it answers at
  once and counts. The CPU counted includes everything from the first INVITE until the last sessionCompleted.
- **Latency** (`bench/invite_latency.cpp`): both clocks are the machine's monotonic one.

`bench/run --quick` takes about a minute and writes to standard output only; `--only` runs one part;
`RINGWRIGHT_BINARY` names another server binary.
"""
