"""A REST device ("cloud SIP user agent"): real RTP, and HTTP commands in place of SIP."""

from .rtp_peer import RtpPeer


class Device:
    """A SIP user of the domain; what is called here is told to the application."""

    def __init__(self, server, user="door", codec="PCMA", crypto=None):
        self.server, self.user, self.codec, self.crypto = server, user, codec, crypto
        self.rtp = RtpPeer()
        self.rtp.payload_type = {"PCMU": 0, "GSM": 3, "PCMA": 8}[codec]

    def close(self):
        self.rtp.close()

    def media(self, **changes):
        """What a command says of the device's media."""
        media = {"codec": self.codec, "receiveIp": "127.0.0.1", "receivePort": self.rtp.port, "telephoneEventPayloadType": 101}
        if self.crypto:
            media["crypto"] = self.crypto
        return {**media, **changes}

    def follow(self, body):
        """Sends where a callback says."""
        self.rtp.remote = (body["remoteRtpIp"], int(body["remoteRtpPort"]))

    def place(self, destination, **changes):
        return self.server.post("placeremotecalljwt", {"destinationUri": destination, "sourceUser": self.user, **self.media(), **changes})

    def answer(self, call, **changes):
        """`call`: a callback about it."""
        return self.server.post("answerremotecalljwt", {"replyId": call["replyId"], **self.media(), **changes})

    def ring_back(self, call):
        return self.server.post("sendremotecallringbackjwt", {"replyId": call["replyId"]})

    def hang_up(self, call):
        return self.server.post("hangupcalljwt", {"replyId": call["replyId"]})
