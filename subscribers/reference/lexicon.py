"""The words of many names, to find those like a given one. Pure."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Final

from rapidfuzz import process
from rapidfuzz.distance import OSA

from subscribers.reference.spelling import FRAME_LONG, FRAME_NEAR, How, Word, likeness

ALIKE_MIN: Final = 0.5
JOINED_MIN: Final = 0.88
"""Two words run together meet many a word by chance: they must be nearly the same."""
_FRAMES_TRIED: Final = 3

Alike = Mapping[int, tuple[float, How]]
"""Listed words by their numbers: how sure, and how they go with a word that was asked for."""


class Lexicon:
    """Distinct words under numbers, with the names that have each."""

    def __init__(self) -> None:
        self.words: list[Word] = []
        self.names: list[list[int]] = []
        """For each word, the names that have it."""
        self._numbers: dict[Word, int] = {}
        self._by_frame: dict[str, list[int]] = defaultdict(list)
        self._by_text: dict[str, list[int]] = defaultdict(list)
        self._texts: list[str] = []
        self._frames: list[str] = []

    def add(self, word: Word, name: int) -> int:
        """The number of `word`, which stands in `name`."""
        number = self._numbers.get(word)
        if number is None:
            number = self._numbers[word] = len(self.words)
            self.words.append(word)
            self.names.append([])
            _file(self._by_text, self._texts, word.text, number)
            for frame in word.frames:
                _file(self._by_frame, self._frames, frame, number)
        self.names[number].append(name)
        return number

    def named(self, word: Word) -> set[int]:
        """The names that have `word` in any spelling; short words are only taken by their sound."""
        numbers = self._same_frame(word)
        if max(map(len, word.frames), default=0) < FRAME_LONG:
            numbers = {each for each in numbers if self.words[each].sound == word.sound}
        return {name for number in numbers for name in self.names[number]}

    def like(self, word: Word) -> Alike:
        """The words that may be the same name as `word`."""
        near = self._same_frame(word)
        for text, _, _ in process.extract(
            word.text, self._texts, scorer=OSA.distance, score_cutoff=2, limit=None
        ):
            near.update(self._by_text[text])
        for frame in sorted(word.frames)[:_FRAMES_TRIED]:
            if len(frame) >= FRAME_NEAR:
                for other, _, _ in process.extract(
                    frame, self._frames, scorer=OSA.distance, score_cutoff=1, limit=None
                ):
                    near.update(self._by_frame[other])
        return self._compared(word, near, ALIKE_MIN)

    def joined_like(self, word: Word) -> Alike:
        """The same where `word`, or what is in this lexicon, is two words run together."""
        return self._compared(word, self._same_frame(word), JOINED_MIN)

    def _same_frame(self, word: Word) -> set[int]:
        return {number for frame in word.frames for number in self._by_frame.get(frame, ())}

    def _compared(self, word: Word, near: set[int], least: float) -> Alike:
        found = ((number, likeness(word, self.words[number])) for number in near)
        return {number: alike for number, alike in found if alike[0] >= least}


def _file(under: dict[str, list[int]], keys: list[str], key: str, number: int) -> None:
    if key not in under:
        keys.append(key)
    under[key].append(number)
