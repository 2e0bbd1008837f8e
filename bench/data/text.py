"""Lines of a text file, numbered for messages: `for number, line in text.lines(path): ...`."""

from __future__ import annotations

import bz2
import codecs
import gzip
import io
import lzma
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

from bench.data.errors import DataError

# By the bytes that a packed file begins with, whatever it is called.
OPENERS: dict[bytes, Callable[[Path], Any]] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ\x00": lzma.open,
    b"PK\x03\x04": lambda path: _only_member(path),
}
UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
HEAD = 4096  # bytes


def lines(path: Path, errors: str = "strict") -> Iterator[tuple[int, str]]:
    """The lines from number 1 on, without their ends; read as they are asked for.

    Args:
        path: of UTF-8, with or without a byte order mark, or UTF-16 with one; line ends of any system; packed by gzip,
            bzip2, xz or alone in a zip, which its first bytes say and not its name.
        errors: what becomes of bytes that are not UTF-8, as `open` has it.

    Raises:
        DataError: the file cannot be read, is empty, or holds no text.
    """
    try:
        with path.open("rb") as file:
            begins = file.read(8)
        opener = next((opener for magic, opener in OPENERS.items() if begins.startswith(magic)), lambda p: p.open("rb"))
        with opener(path) as unpacked, io.BufferedReader(unpacked, HEAD) as buffered:
            head = buffered.peek(HEAD)
            if not head:
                raise DataError(f"{path} is empty; download it again")
            wide = head.startswith(UTF_16)
            if b"\0" in head and not wide:
                raise DataError(f"{path} holds binary data, not text; give its text format, unpacked")
            text = io.TextIOWrapper(buffered, "utf-16" if wide else "utf-8-sig", errors)
            for number, line in enumerate(text, 1):
                yield number, line.rstrip("\n")
    except (OSError, EOFError, UnicodeError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, RuntimeError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"cannot read {path}: {error}; download it again") from error


def _only_member(path: Path) -> IO[bytes]:
    archive = zipfile.ZipFile(path)
    names = [name for name in archive.namelist() if not name.endswith("/") and not name.startswith("__MACOSX")]
    if len(names) != 1:
        raise DataError(f"{path} is a zip of {len(names)} files, {', '.join(names[:5])}; unpack it, give one")
    return archive.open(names[0])
