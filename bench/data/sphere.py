"""Sound files as TIMIT has them, NIST SPHERE or RIFF: `read_sound(path)`, `write_sound(path, samples, rate)`.

A SPHERE file is a header of lines such as `sample_rate -i 16000`, filled up to 1024 bytes, and the samples behind it.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from scipy.io import wavfile

MAGIC = b"NIST_1A\n   1024\n"
HEADER = 1024  # bytes
ORDERS = {"01": "<i2", "10": ">i2"}  # of the two bytes of a sample


def read_sound(path: Path) -> tuple[np.ndarray, int]:
    """The samples of a file (int16, N x channels), and how many there are a second.

    Raises:
        OSError: it cannot be read.
        ValueError: it is no sound of 16 bits a sample, is packed, or is cut off; the message says which.
    """
    content = path.read_bytes()
    if not content.startswith(b"NIST_1A"):
        rate, samples = wavfile.read(path)
        if samples.dtype != np.int16:
            raise ValueError(f"its samples are {samples.dtype}, not int16")
        return samples if samples.ndim > 1 else samples[:, None], int(rate)
    header = content[:HEADER].decode("ascii", "replace")
    fields = dict(re.findall(r"^(\w+) -\w+ (.+)$", header.partition("end_head")[0], re.MULTILINE))
    if "shorten" in fields.get("sample_coding", ""):
        raise ValueError("it is packed by shorten: unpack it with NIST's `w_decode -o pcm` or `sph2pipe -f wav`")
    try:
        channels, rate = int(fields["channel_count"]), int(fields["sample_rate"])
        promised, order = int(fields["sample_count"]), ORDERS[fields["sample_byte_format"]]
    except (KeyError, ValueError) as error:
        raise ValueError(f"its header lacks {error}, or has it as no SPHERE file of 16 bits a sample does") from error
    held = content[HEADER:]
    found = len(held) // (2 * channels)
    if found != promised:
        raise ValueError(f"it holds {found} samples, its header says {promised}")
    return np.frombuffer(held, order, found * channels).astype(np.int16).reshape(found, channels), rate


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
