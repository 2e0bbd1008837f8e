"""Lines of a text file, numbered for messages: `for number, line in text.lines(path): ...`."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path

from bench.data.errors import DataError


def lines(path: Path, errors: str = "strict") -> Iterator[tuple[int, str]]:
    """The lines from number 1 on, without their ends; read as they are asked for.

    Args:
        path: of UTF-8, with or without a byte order mark, line ends of any system; gzipped where it ends in .gz.
        errors: what becomes of bytes that are not UTF-8, as `open` has it.

    Raises:
        DataError: the file cannot be read.
    """
    opener = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rt", encoding="utf-8-sig", errors=errors) as file:
            for number, line in enumerate(file, 1):
                yield number, line.rstrip("\n")
    except (OSError, EOFError, UnicodeDecodeError, zlib.error) as error:
        raise DataError(f"cannot read {path}: {error}; download it again") from error
