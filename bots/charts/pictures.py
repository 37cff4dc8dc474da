"""Draws figures as PNG, on a canvas that loads what it needs when the first picture is asked for.

One thread draws, so that the loop goes on; what was drawn is kept for a while, since the same question gives
the same picture. A bot without the `pictures` extra has none, and answers in words.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from typing import Final

import structlog

from bots.charts.canvas import Align, Canvas
from bots.charts.numbers import Figure
from bots.wording.words import RIGHT_TO_LEFT

SIZE: Final = (1024, 1280)
"""Pixels: upright, as a phone is held, and no more than the chat service keeps of a photo."""
_KEPT: Final = 64
# A dark card: it does not dazzle at night, and stands out on a light chat. Text on it is at least 7:1.
GROUND: Final = "#14202c"
INK: Final = "#eef3f8"
FAINT: Final = "#a9b8c6"
SEVERITIES: Final = ("#c3ced9", "#5aa9f7", "#f2c94c", "#f2994a", "#ff5a52")
"""As the signs of the severities, the least severe first."""
KINDS: Final = "#5fc4b4"
_MARGIN: Final = 0.06
_WIDTH: Final = 1 - 2 * _MARGIN
_NAMES: Final = 0.36
"""Parts of the width: at each side, between them, and for the names of kinds."""
_PIXEL: Final = 1 / SIZE[1]
"""Of the height."""
_LINES_LEAST: Final = 6
"""Few kinds do not get thicker bars than this many."""

_log = structlog.get_logger()


class Pictures:
    """The one that draws. `close` when no more are wanted."""

    def __init__(self) -> None:
        self._hand = ThreadPoolExecutor(max_workers=1, thread_name_prefix="pictures")
        self._kept: OrderedDict[Figure, bytes] = OrderedDict()

    async def draw(self, figure: Figure) -> bytes:
        """The PNG; b'' where nothing is installed to draw with, or it could not be drawn, for the words say
        it all.
        """
        if (known := self._kept.get(figure)) is None:
            if find_spec("matplotlib") is None:
                return b""
            try:
                known = await asyncio.get_running_loop().run_in_executor(self._hand, drawn, figure)
            except Exception as error:  # noqa: BLE001 - a library's defect is no reason to leave an officer without the numbers
                _log.error("a picture could not be drawn", error=type(error).__name__)
                return b""
        self._kept[figure] = known
        self._kept.move_to_end(figure)
        if len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        return known

    def close(self) -> None:
        """Draw nothing more; what is being drawn is finished."""
        self._hand.shutdown(wait=False, cancel_futures=True)


def drawn(figure: Figure) -> bytes:
    """The picture of a figure, as PNG bytes of `SIZE`."""
    canvas = Canvas(SIZE, (GROUND, INK, FAINT, *SEVERITIES, KINDS), figure.language)
    _Painter(canvas, figure).paint()
    return canvas.png()


class _Painter:
    """One picture, in parts of its width and height, from the lower left. Right to left, everything begins at
    the right, time too.
    """

    def __init__(self, canvas: Canvas, figure: Figure) -> None:
        self._canvas = canvas
        self._figure = figure
        self._rtl = figure.language in RIGHT_TO_LEFT

    def paint(self) -> None:
        """Title, columns over time with their legend, bars by kind, notes."""
        self._write(_MARGIN, 0.955, self._figure.title, 15)
        self._write(_MARGIN, 0.915, self._figure.total, 11, FAINT)
        self._columns(0.56, 0.29)
        self._legend(0.465)
        self._rows(0.11, 0.315)
        for place, note in enumerate(reversed(self._figure.notes)):
            self._write(_MARGIN, 0.028 + 0.026 * place, note, 7.5, FAINT)

    def _columns(self, bottom: float, height: float) -> None:
        columns = self._figure.columns
        totals = [sum(each.numbers) for each in columns]
        step, scale = _WIDTH / len(columns), height / max(1, *totals)
        self._box(_MARGIN, bottom - _PIXEL, _WIDTH, _PIXEL, FAINT)
        floors = [bottom for _ in columns]
        for place, column in enumerate(columns):
            left = _MARGIN + step * (place + 0.5 - 0.39)
            for number, colour in zip(column.numbers, SEVERITIES, strict=True):
                self._box(left, floors[place], 0.78 * step, number * scale, colour)
                floors[place] += number * scale
        for place, column in enumerate(columns):  # words over all boxes, and not under the next
            middle = _MARGIN + step * (place + 0.5)
            self._write(middle, bottom - 0.016, column.name, 8, FAINT, "center")
            if place in _peaks(totals):
                self._write(middle, floors[place] + 0.012, column.total, 8, INK, "center")

    def _legend(self, height: float) -> None:
        """In its colour the number of each severity, over its word."""
        step = _WIDTH / len(SEVERITIES)
        for place, ((name, number), colour) in enumerate(zip(self._figure.legend, SEVERITIES, strict=True)):
            middle = _MARGIN + step * (place + 0.5)
            self._write(middle, height + 0.03, number, 12, colour, "center")
            self._write(middle, height + 0.005, name, 7.5, INK, "center")

    def _rows(self, bottom: float, height: float) -> None:
        """A line for each kind: its name at the margin, its bar, its number at the end."""
        rows = self._figure.rows
        most = max((number for _, number, _ in rows), default=1)
        step = height / max(_LINES_LEAST, len(rows))
        for place, (name, number, shown) in enumerate(rows):
            middle = bottom + height - step * (place + 0.5)
            width = (_WIDTH - _NAMES) * 0.86 * number / most
            self._write(_MARGIN, middle, name, 8)
            self._box(_MARGIN + _NAMES, middle - 0.25 * step, width, 0.5 * step, KINDS)
            self._write(_MARGIN + _NAMES + width + 0.01, middle, shown, 8)

    def _write(
        self, at: float, height: float, text: str, size: float, color: str = INK, align: Align | None = None
    ) -> None:
        """Words that begin at `at` from the side where lines begin, or have their middle there."""
        if text:
            begin: Align = align or ("right" if self._rtl else "left")
            self._canvas.write(1 - at if self._rtl else at, height, text, size, color, begin)

    def _box(self, at: float, bottom: float, width: float, height: float, colour: str) -> None:
        """A filled box; a hair of the ground stays free above it: boxes on one another stand apart."""
        if height > 0:
            left = 1 - at - width if self._rtl else at
            self._canvas.box(left, bottom, left + width, bottom + height - _PIXEL, colour)


def _peaks(heights: Sequence[int]) -> list[int]:
    """Which columns have their number over them: the highest, and the last that has any."""
    filled = [place for place, height in enumerate(heights) if height]
    return sorted({max(filled, key=heights.__getitem__), filled[-1]}) if filled else []
