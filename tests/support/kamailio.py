"""Kamailio as registrar and proxy: contacts in memory, one user with a password, every request of a dialog passes through it."""

import pathlib
import shutil
import socket
import subprocess
import tempfile
import time

from .free_port import free_port
from .softphone import Softphone
from .waiting import wait_until

BINARY = shutil.which("kamailio") or "/usr/sbin/kamailio"
MODULES = next(iter(pathlib.Path("/usr/lib").glob("*/kamailio/modules")), pathlib.Path("/usr/lib/kamailio/modules"))

CONFIGURATION = """
debug=2
log_stderror=yes
children=2
tcp_children=2
tcp_connection_lifetime={tcp_lifetime}
auto_aliases=no
listen=udp:127.0.0.1:{port}
listen=tcp:127.0.0.1:{port}
alias="{domain}"
mpath="{modules}"
loadmodule "kex.so"
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "xlog.so"
loadmodule "auth.so"
modparam("usrloc", "db_mode", 0)
modparam("registrar", "max_expires", {max_expires})
modparam("registrar", "min_expires", 0)
modparam("auth", "nonce_expire", {nonce_expire})
modparam("rr", "enable_full_lr", 1)

request_route {{
  xlog("L_NOTICE", "request $rm from $si:$sp to $ru\\n");
  if (!mf_process_maxfwd_header("10")) {{
    sl_send_reply("483", "Too Many Hops");
    exit;
  }}
  if (is_method("CANCEL")) {{
    if (t_check_trans()) t_relay();
    exit;
  }}
  if (has_totag()) {{
    if (loose_route()) {{
      xlog("L_NOTICE", "in dialog $rm\\n");
      t_relay();
      exit;
    }}
    if (is_method("ACK")) {{
      if (t_check_trans()) t_relay();
      exit;
    }}
    sl_send_reply("404", "Not here");
    exit;
  }}
  if (is_method("REGISTER")) {{
    if (!pv_www_authenticate("{domain}", "{password}", "0")) {{
      www_challenge("{domain}", "1");
      exit;
    }}
    if (!save("location")) sl_reply_error();
    exit;
  }}
  if (is_method("INVITE") && {ask_callers}) {{
    if (!pv_proxy_authenticate("{domain}", "{password}", "0")) {{
      proxy_challenge("{domain}", "1");
      exit;
    }}
    consume_credentials();
  }}
  remove_hf("Route");
  if (is_method("INVITE|SUBSCRIBE")) record_route();
  if (uri == myself) {{
    if (!lookup("location")) {{
      sl_send_reply("404", "Nobody is registered");
      exit;
    }}
  }}
  t_relay();
}}
"""


class Kamailio:
    """Listens on a free loopback port by UDP and TCP. `ask_callers`: INVITEs need the password too; `tcp_lifetime`: seconds after which
    it closes a connection that is idle."""

    domain = "carrier.example"
    password = "correct horse"

    def __init__(self, max_expires=3600, nonce_expire=300, ask_callers=False, tcp_lifetime=120):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="kamailio-test-"))
        self.port = free_port()
        self.sip_udp = self.sip_tcp = ("127.0.0.1", self.port)
        file = self.folder / "kamailio.cfg"
        file.write_text(CONFIGURATION.format(port=self.port, domain=self.domain, modules=MODULES, password=self.password,
                                             max_expires=max_expires, nonce_expire=nonce_expire, tcp_lifetime=tcp_lifetime, ask_callers="1" if ask_callers else "0"))
        self.output = open(self.folder / "log", "ab")
        self.process = subprocess.Popen([BINARY, "-DD", "-E", "-f", str(file), "-m", "32", "-M", "4", "-Y", str(self.folder)],
                                        stdout=self.output, stderr=self.output)
        self._wait_ready()

    def _wait_ready(self, timeout=20.0):
        """Ready is who answers."""
        deadline = time.monotonic() + timeout
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect(self.sip_udp)
            probe.settimeout(0.2)
            host, port = probe.getsockname()
            text = (f"OPTIONS sip:nobody@{self.domain} SIP/2.0\r\nVia: SIP/2.0/UDP {host}:{port};branch=z9hG4bKprobe\r\nMax-Forwards: 0\r\n"
                    f"From: <sip:probe@test>;tag=1\r\nTo: <sip:nobody@{self.domain}>\r\nCall-ID: probe\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n")
            while time.monotonic() < deadline:
                assert self.process.poll() is None, "Kamailio ended: " + self.log()[-3000:]
                try:
                    probe.send(text.encode())
                    if probe.recv(65536):
                        return
                except OSError:
                    continue
        raise AssertionError("Kamailio does not answer: " + self.log()[-3000:])

    def uri(self, parameters=";lr"):
        return f"sip:127.0.0.1:{self.port}{parameters}"

    def log(self):
        self.output.flush()
        return (self.folder / "log").read_text(errors="replace")

    def count(self, text):
        return self.log().count(text)

    def wait_log(self, text, count=1, timeout=10.0):
        wait_until(lambda: self.count(text) >= count, lambda: f"not {count} times in Kamailio's log: {text}\n{self.log()[-3000:]}", timeout)

    def wait_disconnected(self, server, timeout=30.0):
        """Until there is no connection with the server any more, whoever opened it."""
        ports = {self.port, server.sip_tcp[1]}

        def connections():
            found = []
            for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]:
                local, remote, state = line.split()[1:4]
                if state == "01" and ports & {int(end.partition(":")[2], 16) for end in (local, remote)}:
                    found.append((local, remote))
            return found
        wait_until(lambda: not connections(), lambda: f"Kamailio keeps {connections()}", timeout)

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.output.close()
        shutil.rmtree(self.folder, ignore_errors=True)


class ProxiedPhone(Softphone):
    """A softphone that keeps to the route set of its dialog (RFC 3261 12.1.2): what comes after the INVITE passes through the proxy."""

    route_set = ()

    def _take(self, text):
        head = text.partition("\r\n\r\n")[0]
        if head.startswith("SIP/2.0 2"):
            lines = [line.partition(":")[2].strip() for line in head.split("\r\n") if line.lower().startswith("record-route:")]
            routes = [one.strip() for line in lines for one in line.split(",")]
            if routes:
                self.route_set = tuple(reversed(routes))
        super()._take(text)

    def request_text(self, method, body="", extra="", **more):
        if self.remote_tag and more.get("to_tag", True):
            extra += "".join(f"Route: {one}\r\n" for one in self.route_set)
        return super().request_text(method, body, extra, **more)


def wait_registration(server, state, timeout=15.0, domain=None):
    """Until the trunk named "carrier" is in that state."""
    name = f'ringwright_registrations{{domain="{domain or server.domain}",state="{state}",trunk="carrier"}}'
    wait_until(lambda: server.metrics().get(name) == 1, lambda: f"not {state}: {server.log()[-2000:]}", timeout)
