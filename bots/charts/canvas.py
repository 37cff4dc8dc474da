"""A picture in a few flat colours: boxes and words on a ground, as PNG. The only place that loads matplotlib,
which shapes and fills the letters (Arabic too), and only when the first picture is drawn.

Each pixel is one byte: which colour, and how much of it covers the ground. So a picture is a small thing to
fill and to compress, and a word, once its letters are filled, is copied into the next picture as it stands.
"""

import io
from functools import cache, lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final, Literal

from schemas.vocabulary import Language

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.ft2font import FT2Font
    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]

Align = Literal["left", "center", "right"]
DPI: Final = 1024 / 6
_SHADES: Final = 16
"""Of each colour, from the ground to the whole of it: as many as the edge of a letter needs."""
_WORDS_KEPT: Final = 384
"""Filled words that are kept for the next picture, at a few kilobytes each."""
_CHINESE: Final = "NotoSansSC-Subset.otf"


class Canvas:
    """A picture in the making. `size` in pixels; of the colours (`#rrggbb`, at most 16) the first is the
    ground. Places are in parts of the width and height, from the lower left.
    """

    def __init__(self, size: tuple[int, int], colours: tuple[str, ...], language: Language) -> None:
        import numpy as np

        self._width, self._height = size
        self._colours = colours
        self._language = language
        self._pixels: Pixels = np.zeros((self._height, self._width), np.uint8)

    def box(self, left: float, bottom: float, right: float, top: float, colour: str) -> None:
        """A filled box, at least a pixel high."""
        across = slice(round(left * self._width), round(right * self._width))
        floor = round((1 - bottom) * self._height)
        roof = min(floor - 1, round((1 - top) * self._height))
        self._pixels[roof:floor, across] = self._shade(colour) + _SHADES - 1

    def write(self, at: float, middle: float, text: str, size: float, colour: str, align: Align) -> None:
        """Words of `size` points whose line has its middle at this height. What is beyond the edge is cut
        off.
        """
        shades, above = _filled(text, size, self._language)
        high, wide = shades.shape
        left = round(at * self._width - wide * {"left": 0.0, "center": 0.5, "right": 1.0}[align])
        top = round((1 - middle) * self._height) - above
        cut_left, cut_top = max(0, -left), max(0, -top)
        seen = shades[cut_top : max(0, self._height - top), cut_left : max(0, self._width - left)]
        place = self._pixels[max(0, top) : max(0, top + high), max(0, left) : max(0, left + wide)]
        inked = seen > 0
        place[inked] = seen[inked] + self._shade(colour)

    def png(self) -> bytes:
        """The picture as it stands."""
        from PIL import Image

        picture = Image.fromarray(self._pixels, "P")
        picture.putpalette(_palette(self._colours))
        out = io.BytesIO()
        picture.save(out, "png", compress_level=1)  # fast: a flat picture is small anyhow
        return out.getvalue()

    def _shade(self, colour: str) -> int:
        return self._colours.index(colour) * _SHADES


@cache
def _palette(colours: tuple[str, ...]) -> bytes:
    """Red, green and blue of each shade of each colour over the ground."""
    ground, *_ = rgb = [bytes.fromhex(each[1:]) for each in colours]
    return bytes(
        round(under + (over - under) * shade / (_SHADES - 1))
        for each in rgb
        for shade in range(_SHADES)
        for under, over in zip(ground, each, strict=True)
    )


@lru_cache(maxsize=_WORDS_KEPT)
def _filled(text: str, size: float, language: Language) -> tuple["Pixels", int]:
    """The letters of some words, as shades, and how many pixels of them are above the line's middle."""
    font = _font(language)
    font.set_size(size, DPI)
    _line(font, "lp")
    middle = font.get_width_height()[1] / 2 - font.get_descent()
    _line(font, text)
    font.draw_glyphs_to_bitmap(antialiased=True)
    shades: Pixels = font.get_image() // _SHADES
    above_base = font.get_width_height()[1] - font.get_descent()
    return shades, round((above_base - middle) / 64)


def _line(font: "FT2Font", text: str) -> None:
    from matplotlib.ft2font import LoadFlags

    font.set_text(text, 0.0, flags=LoadFlags.NO_HINTING)  # letters of this size need no hints


@cache
def _font(language: Language) -> "FT2Font":
    """DejaVu, which matplotlib brings, has Latin, Cyrillic and Arabic; Chinese is ours."""
    import matplotlib as mpl
    from matplotlib.ft2font import FT2Font

    if language is Language.CHINESE:
        return FT2Font(str(files("bots") / "fonts" / _CHINESE))
    return FT2Font(f"{mpl.get_data_path()}/fonts/ttf/DejaVuSans.ttf")
