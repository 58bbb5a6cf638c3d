"""A softphone that is called: rings, answers the INVITE, and keeps to the route set of the dialog that comes of it."""

import re

from .softphone import Message, Softphone


class CalledPhone(Softphone):
    """Answers its first INVITE by itself; what came stands in `requests` like any other request."""

    def __init__(self, server, **more):
        super().__init__(server, **more)
        self.route_set = ()
        self.invited = False
        self.identity = None

    def _take(self, text):
        message = Message(text)
        if message.method == "INVITE" and not self.invited:
            self._answer(message)
            self.requests.put(message)
        else:
            super()._take(text)

    def _answer(self, invite):
        self.invited = True
        self.call_id = invite.header("Call-ID")
        self.remote_tag = re.search(r";tag=([^;>\s]+)", invite.header("From")).group(1)
        self.target = re.search(r"<([^>]+)>", invite.header("From")).group(1)
        self.remote_target = re.search(r"<([^>]+)>", invite.header("Contact")).group(1)
        self.route_set = tuple(one.strip() for line in invite.all("Record-Route") for one in line.split(","))
        self.identity = invite.header("To")
        self.follow(invite)
        invite.headers = [(name, f"{value};tag={self.local_tag}" if name.lower() == "to" else value) for name, value in invite.headers]
        contact = f"Contact: {self.contact}\r\n"
        self.respond(invite, 180, extra=contact)
        self.respond(invite, 200, self.sdp(), extra=contact)

    def request_text(self, method, body="", extra="", **more):
        extra += "".join(f"Route: {one}\r\n" for one in self.route_set)
        return super().request_text(method, body, extra, from_header=self.identity, **more)
