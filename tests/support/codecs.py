"""The telephone codecs as a peer needs them: 20 ms of samples at 8000 Hz to a payload, and back. By the libraries that
everybody uses, or, for G.711, by its definition: none of it is the server's own code."""

import ctypes
import ctypes.util

import numpy as np

FRAME = 160  # samples of 20 ms at 8 kHz


def _alaw_table():
    table = np.zeros(256)
    for code in range(256):
        value = code ^ 0x55
        exponent, mantissa = (value >> 4) & 7, value & 15
        sample = (mantissa << 4) + 8
        if exponent:
            sample = (sample + 0x100) << (exponent - 1)
        table[code] = sample if value & 0x80 else -sample
    return table


def _ulaw_table():
    table = np.zeros(256)
    for code in range(256):
        value = ~code & 0xFF
        sample = (((value & 15) << 3) + 0x84) << ((value >> 4) & 7)
        table[code] = -(sample - 0x84) if value & 0x80 else sample - 0x84
    return table


ALAW, ULAW = _alaw_table(), _ulaw_table()


def _nearest(table, samples):
    """By the nearest entry of the decoding table: slow, and right by construction."""
    order = np.argsort(table)
    values = table[order]
    at = np.clip(np.searchsorted(values, samples), 1, 255)
    nearer = np.where(np.abs(values[at] - samples) < np.abs(values[at - 1] - samples), at, at - 1)
    return bytes(order[nearer].astype(np.uint8))


def encode_alaw(samples):
    return _nearest(ALAW, samples)


class Pcma:
    payload_type, rtpmap, frame_clock = 8, "PCMA/8000", 160
    table = ALAW

    def encode(self, samples):
        return _nearest(self.table, samples)

    def decode(self, payload):
        return self.table[np.frombuffer(payload, dtype=np.uint8)]


class Pcmu(Pcma):
    payload_type, rtpmap = 0, "PCMU/8000"
    table = ULAW


def _library(name, **results):
    library = ctypes.CDLL(ctypes.util.find_library(name))
    for function, result in results.items():
        getattr(library, function).restype = result
    return library


def _int16(samples):
    return (ctypes.c_int16 * len(samples))(*[int(one) for one in samples])


class Gsm:
    payload_type, rtpmap, frame_clock = 3, "GSM/8000", 160

    def __init__(self):
        self.library = _library("gsm", gsm_create=ctypes.c_void_p)
        self.encoder, self.decoder = (ctypes.c_void_p(self.library.gsm_create()) for _ in range(2))

    def encode(self, samples):
        out = ctypes.create_string_buffer(33)
        self.library.gsm_encode(self.encoder, _int16(samples), out)
        return out.raw

    def decode(self, payload):
        out = (ctypes.c_int16 * FRAME)()
        self.library.gsm_decode(self.decoder, payload, out)
        return np.array(out, dtype=float)


class G722:
    payload_type, rtpmap, frame_clock = 9, "G722/8000", 160
    at_8000_hertz = 1

    def __init__(self):
        self.library = _library("spandsp", g722_encode_init=ctypes.c_void_p, g722_decode_init=ctypes.c_void_p)
        self.encoder = ctypes.c_void_p(self.library.g722_encode_init(None, 64000, self.at_8000_hertz))
        self.decoder = ctypes.c_void_p(self.library.g722_decode_init(None, 64000, self.at_8000_hertz))

    def encode(self, samples):
        out = ctypes.create_string_buffer(FRAME)
        length = self.library.g722_encode(self.encoder, out, _int16(samples), len(samples))
        return out.raw[:length]

    def decode(self, payload):
        out = (ctypes.c_int16 * (2 * len(payload)))()
        count = self.library.g722_decode(self.decoder, out, payload, len(payload))
        return np.array(out[:count], dtype=float)


class Opus:
    payload_type, rtpmap, frame_clock = 96, "opus/48000/2", 960
    voice = 2048

    def __init__(self):
        self.library = _library("opus", opus_encoder_create=ctypes.c_void_p, opus_decoder_create=ctypes.c_void_p)
        self.encoder = ctypes.c_void_p(self.library.opus_encoder_create(8000, 1, self.voice, None))
        self.decoder = ctypes.c_void_p(self.library.opus_decoder_create(8000, 1, None))

    def encode(self, samples):
        out = ctypes.create_string_buffer(400)
        length = self.library.opus_encode(self.encoder, _int16(samples), len(samples), out, 400)
        return out.raw[:length]

    def decode(self, payload):
        out = (ctypes.c_int16 * (FRAME * 6))()
        count = self.library.opus_decode(self.decoder, payload, len(payload), out, FRAME * 6, 0)
        return np.array(out[:max(count, 0)], dtype=float)


CODECS = {one.payload_type: one for one in (Pcma, Pcmu, Gsm, G722, Opus)}
NAMES = {one.rtpmap.split("/")[0]: one for one in CODECS.values()}
