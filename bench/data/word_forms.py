"""What kind of token a word of a tweet is, and how to look it up: `kind("#fail")`, `spellings("sooooo")`."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

_EMOTICON = r"""
    [<>]? [:;=] [-o*'^]? [\])}>(\[{dDpPoOsS/\\|@3c]+     # :) ;-P =]
    | [()\[\]{}dD/\\]+ [-o*'^]? [:;=] [<>]?            # (: D:
    | [xX]+ [dDpP]+                                    # xD
    | <+ [/\\]? 3+                                     # <3 </3
    | \W* [-^~oOTtuU>¬] [_.]+ [-^~oOTtuU<¬] \W*        # -_- o_O
    | \^\^+
    | [\u2600-\u27bf\U0001f300-\U0001faff]+            # dingbats and pictographs
"""
# The first that a whole token matches, in this order.
_KINDS = {
    "url": re.compile(r"https?(?::\S*)?|www\.\S*|\S+\.(?:com|net|org|co|ly|tv|info|uk|gd)(?:[/?#]\S*)?", re.IGNORECASE),
    "mention": re.compile(r"[@＠]\w+"),
    "hashtag": re.compile(r"[#＃]\w*[^\W\d]\w*"),
    "emoticon": re.compile(_EMOTICON, re.VERBOSE),
    "number": re.compile(r"[-+#$£€]?\d+(?:[.,:/-]\d+)*(?:%|¢|st|nd|rd|th|s|am|pm|k|m)?", re.IGNORECASE),
    "word": re.compile(r"[^\W\d_]+"),
    "punctuation": re.compile(r"[\W_]+"),
}
_ASCII_QUOTES = str.maketrans("‘’“”´`", "''\"\"''")
_REPEATED = re.compile(r"(.)\1{2,}")
_EDGES = re.compile(r"^[\W_]+|[\W_]+$")


def kind(word: str) -> str:
    """`url`, `mention`, `hashtag`, `emoticon`, `number`, `word` (letters only), `punctuation` or `mixed`."""
    return next((name for name, pattern in _KINDS.items() if pattern.fullmatch(word)), "mixed")


def spellings(word: str) -> Iterator[str]:
    """Spellings under which a word may stand in a list of words of tweets, the most exact first.

    As it is, in lower case, with ASCII quotes, with letters that are repeated three times or more (`sooooo`) said
    twice and once; then what lists put in the place of web addresses (with their domain in CMU's clusters), mentions,
    hashtags and numbers, and the word inside punctuation that was not split off.
    """
    lower = word.lower()
    plain = lower.translate(_ASCII_QUOTES)
    yield from (word, lower, plain, _REPEATED.sub(r"\1\1", plain), _REPEATED.sub(r"\1", plain))
    match kind(word):
        case "url":
            domain = re.sub(r"^(?:https?:/*)?(?:www\.)?", "", lower)
            yield from (f"<URL-{re.split(r'[/?#:]', domain)[0]}>", "<URL-bit.ly>", "<url>", "<URL>")
        case "mention":
            yield from ("<@MENTION>", "<user>", "<USER>", "@user")
        case "hashtag":
            yield from (plain[1:], "<hashtag>")
        case "number":
            yield from (re.sub(r"\d", "0", plain), re.sub(r"\d", "1", plain), "<number>")
        case "mixed":
            yield _EDGES.sub("", plain)


def normal(word: str) -> str:
    """A word in lower case and without what no other word shares: addresses, names, digits, letters thrice or more."""
    match kind(word):
        case "url" | "mention" as name:
            return f"<{name}>"
    plain = word.lower().translate(_ASCII_QUOTES)
    return _REPEATED.sub(r"\1\1", re.sub(r"\d", "0", plain))


def shape(word: str) -> str:
    """A word with a letter for each run of characters of one kind: `iPhone` is xXx, `4ever` 0x."""
    runs = itertools.groupby(word, _kind_of_character)
    return "".join(letter for letter, _ in runs)


def _kind_of_character(character: str) -> str:
    if character.isupper():
        return "X"
    if character.isalpha():
        return "x"
    return "0" if character.isdigit() else character
