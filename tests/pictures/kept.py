"""The pictures that are kept, and whether one that is drawn today is like them."""

import io
import subprocess
from collections.abc import Iterable
from typing import Final

from PIL import Image, ImageChops

from tests.support.forked import ROOT
from tests.support.sandbox import CHROMIUM

FOLDER: Final = ROOT / "docs" / "pictures"
_BLOCK: Final = 8
"""Pixels on a side: the means of such blocks are compared, which hides how the edge of a letter is drawn."""
_STEP: Final = 24
"""Of 255: a block that differs by more is another one."""
SHARE: Final = 0.02
"""Of a picture's blocks: so many may be others."""
_HEAD: Final = """# Pictures

What officers see, as a real Chromium drew it: the reading room, the sandbox chat with the real bot, and the
bot's charts, in English, Arabic and Chinese, by day and by night, on a desk and on a phone; and the page of
`make demo`. `make pictures` draws them anew; `make test` holds what is drawn then against these
(`tests/integration/test_pictures.py`).

"""


def fonts() -> str:
    """What decides how text looks on this machine: the fonts for each script, and the browser."""
    asked = ("sans-serif", "sans-serif:lang=ar", "sans-serif:lang=zh-cn", "system-ui", "monospace", "emoji")
    lines = [_said("fc-match", "-f", f"{each}: %{{family}} %{{fontversion}}", each) for each in asked]
    return "\n".join([*lines, _said(CHROMIUM, "--version").split(".")[0], ""])


def _said(*command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    except FileNotFoundError:
        return f"{command[0]} is not installed"
    return done.stdout.strip()


def index(names: Iterable[str]) -> str:
    """The page that shows them."""
    shown = "\n".join(f"## {name}\n\n![{name.replace('-', ' ')}]({name}.png)\n" for name in names)
    return _HEAD + shown


def difference(kept: bytes, drawn: bytes) -> float:
    """The share of blocks that are others, from 0 to 1; 1 where the sizes differ."""
    one, other = (Image.open(io.BytesIO(each)).convert("RGB") for each in (kept, drawn))
    if one.size != other.size:
        return 1.0
    small = tuple(max(1, side // _BLOCK) for side in one.size)
    blocks = ImageChops.difference(
        *(each.resize((small[0], small[1]), Image.Resampling.BOX) for each in (one, other))
    )
    red, green, blue = blocks.split()
    worst = ImageChops.lighter(ImageChops.lighter(red, green), blue).histogram()
    return sum(worst[_STEP + 1 :]) / sum(worst)
