"""What letters stand for: Arabic in Latin ones, and Latin ones as sounds and as consonants. Pure."""

import re
from collections.abc import Iterator
from itertools import islice, product
from typing import Final

FRAMES_MAX: Final = 16
"""Readings of one word: some romanisations mean one thing by a letter, some another."""

# Letters of Arabic script, with those of Persian, Urdu and Pashto. A letter that is romanised in two ways is
# given in the form that stands for both: `dh` is d or z, `g` is g or j.
_LETTERS: Final = """
    ا:a أ:a إ:a آ:a ٱ:a ع:a ء:a ب:b پ:p ت:t ث:th ج:g چ:ch ح:h خ:kh د:d ذ:dh ر:r ز:z ژ:zh س:s ش:sh ص:s ض:dh
    ط:t ظ:dh غ:gh ف:f ڤ:v ق:q ك:k ک:k گ:g ل:l م:m ن:n ه:h ة:h و:w ؤ:w ي:y ی:y ى:y ئ:y ٹ:t ڈ:d ڑ:r ں:n ھ:h
    ہ:h ے:y ۍ:y ې:y ټ:t ډ:d ړ:r ڼ:n ښ:sh ځ:z څ:s ګ:g
"""
_ROMAN: Final = dict(pair.split(":") for pair in _LETTERS.split())
_ARTICLE: Final = re.compile("\\A[وف]?[بك]?(?:ال|لل)(?=..)")

# What letters stand for in a frame, longer runs first: some romanisations mean one thing, some another.
_READINGS: Final = """
    shch:s tsch:c dzh:j sch:s tch:c kh:k,h gh:k dh:d,z,dh th:t,s,d,th sh:s,sh ch:c,s,k zh:j,z,zh
    ph:f ck:k dj:j ts:s,ts b:b c:k,s,j d:d f:f g:k,j h:h j:j k:k l:l m:m n:n p:b q:k r:r s:s t:t
    v:,f x:ks,h,s z:z
"""
_STANDS_FOR: Final = {
    **{run: tuple(reading.split(",")) for run, reading in (each.split(":") for each in _READINGS.split())},
    **{digit: (digit,) for digit in "0123456789"},
}
_RUN: Final = re.compile("|".join(_STANDS_FOR))
# At the beginning vowels count, and so do w and y.
_BEGINNINGS: Final[tuple[tuple[re.Pattern[str], tuple[str, ...]], ...]] = (
    (re.compile("ou(?=[aei])|[vw]"), ("w",)),
    (re.compile("y|i(?=[aou])"), ("y",)),
    (re.compile("j"), ("j", "y")),
    (re.compile("[aeiou]"), ("a",)),
)
_REPEATED: Final = re.compile(r"(.)\1+")
_JOINED_ARTICLE: Final = re.compile(r"[ae](?:l(?=[b-df-hj-np-tv-z])|([dnrstz])(?=\1))(?=[a-z]{5,}\Z)")
_SOUNDS: Final = tuple(
    (re.compile(pattern), sound)
    for pattern, sound in (
        (r"oo|ou|[ow]", "u"), (r"[ae]?[iy]+|ee|e[iy]?", "i"), (r"dzh|dj", "j"), (r"[qg]h?|kh|ck", "k"),
        (r"(.)\1+", r"\1"), (r"h\Z", ""),
    )
)  # fmt: skip


def romanised(word: str) -> str:
    """A word in Arabic script, letter by letter with `'` between them, without the article."""
    return "'".join(_ROMAN.get(each, "") for each in _ARTICLE.sub("", word))


def sound_of(text: str) -> str:
    """ASCII letters with vowels of one kind written alike."""
    sound = text
    for pattern, instead in _SOUNDS:
        sound = pattern.sub(instead, sound)
    return sound or text


def frames_of(letters: str) -> frozenset[str]:
    """The consonants in every reading, at most `FRAMES_MAX`, with those of the word without its article."""
    frames = set(_frames(letters))
    if found := _JOINED_ARTICLE.match(letters):
        frames |= set(_frames(letters[found.end() :]))
    if letters.startswith("abd") and len(letters) > len("abdx"):  # some leave the servant out
        frames |= set(_frames(letters.removeprefix("abd").removeprefix("'")))
    return frozenset(filter(None, frames))


def _frames(letters: str) -> Iterator[str]:
    classes: list[tuple[str, ...]] = []
    start = 0
    for pattern, reading in _BEGINNINGS:
        if found := pattern.match(letters):
            classes.append(reading)
            start = found.end()
            break
    body = letters[start:].removesuffix("h")
    classes.extend(_STANDS_FOR[run[0]] for run in _RUN.finditer(body))
    for reading in islice(product(*classes), FRAMES_MAX):
        yield _REPEATED.sub(r"\1", "".join(reading))
