"""Sound files as TIMIT has them, NIST SPHERE or RIFF: `read_sound(path)`, `write_sound(path, samples, rate)`.

A SPHERE file is a header of lines such as `sample_rate -i 16000`, filled up to the size that its second line says, and
the samples behind it.
"""

from __future__ import annotations

import io
import re
import warnings
from pathlib import Path

import numpy as np
from scipy.io import wavfile

MAGIC = b"NIST_1A\n   1024\n"
HEADER = 1024  # bytes
LOUDEST = 2.0  # of floating point samples, which overshoot 1 where they were resampled
ORDERS = {"01": "<i2", "10": ">i2"}  # of the two bytes of a sample


def read_sound(path: Path) -> tuple[np.ndarray, int]:
    """The samples of a file (N x channels, on the scale of int16, whatever they are kept as), and how many a second.

    Raises:
        OSError: it cannot be read.
        ValueError: it is neither format, is packed, or is cut off; the message says which.
    """
    content = path.read_bytes()
    if not content.startswith(b"NIST_1A"):
        return _read_riff(content)
    try:
        size = int(content[8:16])
        header = content[:size].decode("ascii", "replace")
    except ValueError as error:
        raise ValueError("its header is not that of a SPHERE file") from error
    fields = dict(re.findall(r"^(\w+) -\w+ (.+)$", header.partition("end_head")[0], re.MULTILINE))
    coding = fields.get("sample_coding", "pcm")
    if "shorten" in coding:
        raise ValueError("it is packed by shorten: unpack it with NIST's `w_decode -o pcm` or `sph2pipe -f wav`")
    if coding != "pcm":
        raise ValueError(f"its samples are coded as {coding!r}: convert it with `sph2pipe -p -f wav`")
    try:
        channels, rate = int(fields["channel_count"]), int(fields["sample_rate"])
        promised, order = int(fields["sample_count"]), ORDERS[fields["sample_byte_format"]]
    except (KeyError, ValueError) as error:
        raise ValueError(f"its header lacks {error}, or has it as no SPHERE file of 16 bits a sample does") from error
    if channels < 1:
        raise ValueError(f"its header says {channels} channels")
    held = content[size:]
    found = len(held) // (2 * channels)
    if found != promised:
        raise ValueError(f"it holds {found} samples, its header says {promised}")
    return np.frombuffer(held, order, found * channels).astype(np.int16).reshape(found, channels), rate


def _read_riff(content: bytes) -> tuple[np.ndarray, int]:
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("error", "Reached EOF", wavfile.WavFileWarning)  # what is cut off
            warnings.filterwarnings("ignore", "Chunk", wavfile.WavFileWarning)  # notes beside the sound
            rate, samples = wavfile.read(io.BytesIO(content))
    except Exception as error:  # scipy passes on what struct and numpy say of bytes that are no sound
        raise ValueError(f"it is no whole wave file: {error}") from error
    if samples.dtype.kind == "f":
        loudest = float(np.abs(samples).max(initial=0.0))
        if not loudest <= LOUDEST:
            raise ValueError(f"its {samples.dtype} samples reach {loudest:g}, and go from -1 to 1 in a wave file")
        samples = samples.astype(np.float64) * 2**15
    elif samples.dtype != np.int16:  # 8 bits from 0 on; 24 and 32, the most significant first
        wide = samples.astype(np.float64)
        samples = (wide - 128) * 2**8 if samples.dtype == np.uint8 else wide / 2 ** (8 * samples.itemsize - 16)
    return samples if samples.ndim > 1 else samples[:, None], int(rate)


def write_sound(path: Path, samples: np.ndarray, rate: int) -> None:
    """Write one channel of int16 as SPHERE."""
    fields = {
        "channel_count -i": 1,
        "sample_count -i": len(samples),
        "sample_rate -i": rate,
        "sample_n_bytes -i": 2,
        "sample_byte_format -s2": "01",
        "sample_sig_bits -i": 16,
        "sample_coding -s3": "pcm",
    }
    header = "".join(f"{name} {value}\n" for name, value in fields.items()) + "end_head\n"
    path.write_bytes((MAGIC + header.encode()).ljust(HEADER) + samples.astype("<i2").tobytes())
