"""Draws figures as PNG: the only place that loads matplotlib, and only when the first picture is asked for.

One thread draws, so that the loop goes on; what was drawn is kept for a while, since the same question gives
the same picture. A bot without the `pictures` extra has none, and answers in words.
"""

import asyncio
import io
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from importlib.resources import files
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

from bots.figures import Figure
from bots.words import RIGHT_TO_LEFT
from schemas.vocabulary import Language

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

SIZE: Final = (1080, 1350)
"""Pixels: upright, as a phone is held."""
_DPI: Final = 180
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
_LINES_LEAST: Final = 6
"""Few kinds do not get thicker bars than this many."""
_CHINESE: Final = "NotoSansSC-Subset.otf"


class Pictures:
    """The one that draws. `close` when no more are wanted."""

    def __init__(self) -> None:
        self._hand = ThreadPoolExecutor(max_workers=1, thread_name_prefix="pictures")
        self._kept: OrderedDict[Figure, bytes] = OrderedDict()

    async def draw(self, figure: Figure) -> bytes:
        """The PNG; b'' where nothing is installed to draw with."""
        if (known := self._kept.get(figure)) is None:
            if find_spec("matplotlib") is None:
                return b""
            known = await asyncio.get_running_loop().run_in_executor(self._hand, drawn, figure)
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
    from matplotlib.figure import Figure as Canvas

    canvas = Canvas(figsize=(SIZE[0] / _DPI, SIZE[1] / _DPI), dpi=_DPI, facecolor=GROUND)
    _Painter(canvas, figure).paint()
    out = io.BytesIO()
    # Fast compression: a flat picture is small anyhow. No mark of which version drew it.
    canvas.savefig(out, format="png", metadata={"Software": None}, pil_kwargs={"compress_level": 3})
    return out.getvalue()


class _Painter:
    """One picture. Right to left, everything begins at the right, time too."""

    def __init__(self, canvas: "Canvas", figure: Figure) -> None:
        self._canvas = canvas
        self._figure = figure
        self._rtl = figure.language in RIGHT_TO_LEFT
        self._near: Any = "right" if self._rtl else "left"
        self._far: Any = "left" if self._rtl else "right"
        self._font: dict[str, Any] = {"fontfamily": _family(figure.language)}

    def paint(self) -> None:
        """Title, columns over time with their legend, bars by kind, notes."""
        self._write(0.955, self._figure.title, size=15, color=INK)
        self._write(0.915, self._figure.total, size=11, color=FAINT)
        self._columns(self._axes(0.56, 0.325))
        self._legend(0.46)
        self._rows(self._axes(0.105, 0.325, gutter=_NAMES))
        for place, note in enumerate(reversed(self._figure.notes)):
            self._write(0.028 + 0.026 * place, note, size=7.5, color=FAINT)

    def _axes(self, bottom: float, height: float, gutter: float = 0.0) -> "Axes":
        """A place to draw in; `gutter` leaves room at the side where lines begin."""
        left = _MARGIN if self._rtl else _MARGIN + gutter
        axes = self._canvas.add_axes((left, bottom, _WIDTH - gutter, height), facecolor=GROUND)
        for spine in axes.spines.values():
            spine.set_visible(False)
        axes.tick_params(length=0, colors=FAINT, labelsize=8)
        return axes

    def _write(self, height: float, text: str, *, size: float, color: str) -> None:
        at = 1 - _MARGIN if self._rtl else _MARGIN
        self._canvas.text(at, height, text, ha=self._near, va="center", size=size, color=color, **self._font)

    def _columns(self, axes: "Axes") -> None:
        columns = self._figure.columns
        places, floor = range(len(columns)), [0] * len(columns)
        for severity, colour in enumerate(SEVERITIES):
            numbers = [each.numbers[severity] for each in columns]
            axes.bar(places, numbers, 0.78, bottom=floor, color=colour, edgecolor=GROUND, linewidth=0.8)
            floor = [below + number for below, number in zip(floor, numbers, strict=True)]
        axes.set_ylim(0, max(1.0, 1.12 * max(floor)))
        axes.set_yticks([])
        axes.set_xticks(places, [each.name for each in columns], **self._font)
        axes.axhline(0, color=FAINT, linewidth=0.8)
        for place in _peaks(floor):
            axes.text(
                place,
                floor[place],
                columns[place].total,
                ha="center",
                va="bottom",
                size=8,
                color=INK,
                **self._font,
            )
        axes.set_xlim(*((len(columns) - 0.4, -0.6) if self._rtl else (-0.6, len(columns) - 0.4)))

    def _legend(self, height: float) -> None:
        """A square in the colour, the word and the number of each severity."""
        width = _WIDTH / len(SEVERITIES)
        for place, ((name, number), colour) in enumerate(zip(self._figure.legend, SEVERITIES, strict=True)):
            at = _MARGIN + width * (place + 0.5)
            at = 1 - at if self._rtl else at
            self._canvas.text(at, height + 0.022, number, ha="center", size=12, color=colour, **self._font)
            self._canvas.text(at, height, name, ha="center", size=7.5, color=INK, **self._font)

    def _rows(self, axes: "Axes") -> None:
        """A line for each kind: its name at the margin, its bar, its number at the end."""
        rows = self._figure.rows
        most = max((number for _, number, _ in rows), default=1)
        axes.barh(range(len(rows)), [number for _, number, _ in rows], 0.5, color=KINDS)
        margin = 1 + _NAMES / (_WIDTH - _NAMES) if self._rtl else -_NAMES / (_WIDTH - _NAMES)
        beside: dict[str, Any] = {"va": "center", "size": 8, "color": INK, **self._font}
        for place, (name, number, shown) in enumerate(rows):
            axes.text(margin, place, name, ha=self._near, transform=axes.get_yaxis_transform(), **beside)
            axes.text(number + 0.015 * most, place, shown, ha=self._near, **beside)
        axes.set_ylim(max(_LINES_LEAST, len(rows)) - 0.5, -0.5)
        axes.set_xlim(*((1.16 * most, 0) if self._rtl else (0, 1.16 * most)))
        axes.set_xticks([])
        axes.set_yticks([])


def _peaks(heights: Sequence[int]) -> list[int]:
    """Which columns have their number over them: the highest, and the last that has any."""
    filled = [place for place, height in enumerate(heights) if height]
    return sorted({max(filled, key=heights.__getitem__), filled[-1]}) if filled else []


@cache
def _family(language: Language) -> str:
    """The font for a language. DejaVu, which matplotlib brings, has Latin, Cyrillic and Arabic."""
    if language is not Language.CHINESE:
        return "DejaVu Sans"
    from matplotlib import font_manager

    source = files("bots") / "fonts" / _CHINESE
    font_manager.fontManager.addfont(str(source))
    return "Noto Sans CJK SC"
