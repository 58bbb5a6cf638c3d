"""Whether somebody speaks."""


def is_loud(samples):
    return len(samples) > 0 and float(max(abs(samples))) > 2000


def speaks(phone, first=0, timeout=30):
    """Waits for speech after packet `first`."""
    phone.rtp.wait_until(lambda: is_loud(phone.rtp.audio(first)), timeout, "nothing was said")
