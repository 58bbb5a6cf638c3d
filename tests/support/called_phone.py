"""A softphone that is called: rings, answers the INVITE, and keeps to the route set of the dialog that comes of it."""

import re

from .softphone import Message, Softphone


class CalledPhone(Softphone):
    """What came stands in `requests` like any other request. Answers its first INVITE by itself, or, with `pick_up=False`,
    only rings until the test says more: progress(), answer(), refuse(). A CANCEL ends it with 487."""

    def __init__(self, server, pick_up=True, rings=True, **more):
        super().__init__(server, **more)
        self.pick_up, self.rings = pick_up, rings
        self.route_set = ()
        self.invite_request = None
        self.identity = None

    @property
    def uri(self):
        return f"sip:bob@{self.host}:{self.port}"

    def _take(self, text):
        message = Message(text)
        if message.method == "INVITE" and self.invite_request is None:
            self._ring(message)
            self.requests.put(message)
        elif message.method == "CANCEL" and self.state == "ringing":
            self.respond(message, 200)
            self.refuse(487)
            self.requests.put(message)
        else:
            super()._take(text)

    def _ring(self, invite):
        self.invite_request = invite
        self.state = "ringing"
        self.call_id = invite.header("Call-ID")
        self.remote_tag = re.search(r";tag=([^;>\s]+)", invite.header("From")).group(1)
        self.target = re.search(r"<([^>]+)>", invite.header("From")).group(1)
        self.remote_target = re.search(r"<([^>]+)>", invite.header("Contact")).group(1)
        self.route_set = tuple(one.strip() for line in invite.all("Record-Route") for one in line.split(","))
        self.identity = invite.header("To")
        if invite.body:
            self.follow(invite)
        invite.headers = [(name, f"{value};tag={self.local_tag}" if name.lower() == "to" else value) for name, value in invite.headers]
        if self.rings:
            self.progress(180)
        if self.pick_up:
            self.answer()

    def progress(self, status, sdp="", extra=""):
        self.respond(self.invite_request, status, sdp, extra=f"Contact: {self.contact}\r\n{extra}")

    def answer(self, sdp=None, extra=""):
        self.state = "up"
        self.acknowledged = True
        self.respond(self.invite_request, 200, self.sdp() if sdp is None else sdp, extra=f"Contact: {self.contact}\r\n{extra}")

    def refuse(self, status, extra=""):
        self.state = "over"
        self.respond(self.invite_request, status, extra=extra)

    def _leave(self):
        if self.state == "ringing":
            self.refuse(480)
        super()._leave()

    def request_text(self, method, body="", extra="", **more):
        extra += "".join(f"Route: {one}\r\n" for one in self.route_set)
        return super().request_text(method, body, extra, **{**more, "from_header": self.identity})
