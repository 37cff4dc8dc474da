"""`make pictures`: draw every picture anew into docs/pictures, with the page that shows them."""

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from tests.pictures.drawing import charts, pages
from tests.pictures.kept import FOLDER, fonts, index
from tests.pictures.stage import scenery


async def _drawn() -> int:
    found = list(charts())
    with tempfile.TemporaryDirectory() as folder:
        async with scenery(Path(folder)) as made:
            found += [each async for each in pages(made)]
    FOLDER.mkdir(parents=True, exist_ok=True)
    for old in FOLDER.glob("*.png"):
        old.unlink()
    for each in found:
        (FOLDER / f"{each.name}.png").write_bytes(each.png)
        for problem in each.wrong:
            print(f"{each.name}: {problem}", file=sys.stderr)
    (FOLDER / "fonts.txt").write_text(fonts(), encoding="utf-8")
    (FOLDER / "README.md").write_text(index(each.name for each in found), encoding="utf-8")
    print(f"{len(found)} pictures, {sum(len(each.png) for each in found) / 1e6:.1f} MB, in {FOLDER}")
    return 1 if any(each.wrong for each in found) else 0


if __name__ == "__main__":
    argparse.ArgumentParser(prog="python -m tests.pictures", description=__doc__).parse_args()
    sys.exit(asyncio.run(_drawn()))
