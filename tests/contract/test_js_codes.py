"""The second implementation knows the same refusals and limits as this code: `subscribers/js`."""

import re
from pathlib import Path

from schemas import limits
from schemas.errors import Code


def test_the_codes_are_the_same(root: Path) -> None:
    text = (root / "subscribers/js/src/errors.ts").read_text("utf-8")
    listed = text.split("CODES = [")[1].split("]")[0]
    assert set(re.findall(r'"([a-z_]+)"', listed)) == {str(code) for code in Code}, (
        "put what differs into subscribers/js/src/errors.ts"
    )


def test_the_limits_are_the_same(root: Path) -> None:
    text = (root / "subscribers/js/src/limits.ts").read_text("utf-8")
    found = {
        name: int(value.replace("_", "")) for name, value in re.findall(r"const (\w+) = ([\d_]+);", text)
    }
    shared = found.keys() & vars(limits).keys()
    assert {"FRAME_MAX", "JSON_DEPTH_MAX", "WRAP_SIZE"} <= shared
    assert {name: found[name] for name in shared} == {name: getattr(limits, name) for name in shared}
