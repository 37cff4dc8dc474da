"""The Chinese font that pictures are labelled with: `python -m tests.support.label_font FONT.ttc` writes it
anew from Noto Sans CJK (Debian: fonts-noto-cjk), with the characters of the Chinese catalogue and no others.
"""

import sys
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTCollection

from schemas.vocabulary import Language
from tests.support.catalogue import BOTS, read

FONT = BOTS / "fonts" / "NotoSansSC-Subset.otf"
ALWAYS = {chr(each) for each in range(0x20, 0x7F)} | set("年月日份周天·—…“”‘’，。、：；！？（）《》％")
NAMES = [0, 1, 2, 4, 6, 13, 14]
"""Copyright, family and licence stay in the file."""
_DROPPED = ["GPOS", "GSUB", "BASE", "VORG", "vhea", "vmtx", "DSIG"]


def characters() -> set[str]:
    """Every character that a label may have."""
    texts: list[str | None] = []
    for message in read(Language.CHINESE):
        texts += message.string if isinstance(message.string, tuple | list) else [message.string]
    return ALWAYS | {char for char in "".join(map(str, texts)) if char.isprintable()}


def write(source: Path, target: Path = FONT) -> None:
    """Take the characters out of a collection that has the face for simplified Chinese."""
    faces = TTCollection(str(source)).fonts
    face = next(each for each in faces if each["name"].getDebugName(4) == "Noto Sans CJK SC")
    options = subset.Options(layout_features=[], hinting=False, notdef_outline=True, name_IDs=NAMES)
    options.drop_tables += _DROPPED
    cut = subset.Subsetter(options)
    cut.populate(text="".join(sorted(characters())))
    cut.subset(face)
    face.save(str(target))


if __name__ == "__main__":
    write(Path(sys.argv[1]))
