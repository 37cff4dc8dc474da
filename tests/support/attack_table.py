"""Write the table of what a hostile hub can do into docs/threat-model.md: `make attacks`.

The attacks come from tests/faults/attacks, the seconds from build/attacks.json, which the last run of
tests/faults/test_malicious_hub.py left. They are of one run on one machine, and nothing is decided by them.
"""

import argparse
import json
import sys
from collections.abc import Mapping
from typing import Any, Final

from tests.faults.attacks import ATTACKS, RECORD, After, Attack, Sight
from tests.support.forked import ROOT

DOCUMENT: Final = ROOT / "docs" / "threat-model.md"
BEGIN: Final = "<!-- attacks: written by `make attacks` -->\n"
END: Final = "<!-- /attacks -->\n"
_HEAD: Final = (
    "| the hub … | with the help of | who notices, by which alarm (or refusal) | how soon | seen after |\n"
    "|---|---|---|---|---|\n"
)
_NOBODY: Final = {After.NEVER: "nobody: see below", After.NOTHING: "nobody: it has no effect"}


def row(attack: Attack) -> str:
    """One attack's cells, but for the last: what was measured."""
    told = "; ".join(_told(attack)) or _NOBODY[attack.after]
    soon = str(attack.after) if attack.sights else ""
    return f"| `{attack.name}`: {attack.what} | {attack.helper} | {told} | {soon} |"


def measured(attack: Attack, record: Mapping[str, Any]) -> str:
    """The time after which the last of those who notice it had."""
    seen = record.get(attack.name, {}).get("seen", [])
    return f" {max(each['seconds'] for each in seen):.1f} s |" if seen else "  |"


def table(record: Mapping[str, Any]) -> str:
    """Everything between the markers."""
    return _HEAD + "".join(f"{row(each)}{measured(each, record)}\n" for each in ATTACKS)


def _told(attack: Attack) -> list[str]:
    parties: dict[tuple[str, str], list[str]] = {}
    for sight in attack.sights:
        parties.setdefault(_name(sight), []).append(sight.called or str(sight.who))
    return [f"{', '.join(who)}: {name}" for (name, _), who in parties.items()]


def _name(sight: Sight) -> tuple[str, str]:
    alarm, code = sight.alarm and str(sight.alarm), sight.code
    shown = f"`{alarm}`" if alarm else f"refuses it, `{code}`"
    return (f"{shown} (`{code}`)" if alarm and code and code != alarm else shown), code


def main() -> int:
    """Write it."""
    text = DOCUMENT.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    record = json.loads(RECORD.read_text(encoding="utf-8")) if RECORD.exists() else {}
    DOCUMENT.write_text(f"{before}{BEGIN}{table(record)}{END}{after}", encoding="utf-8")
    print(f"{len(ATTACKS)} attacks, {len(record)} of them measured")
    return 0


if __name__ == "__main__":
    argparse.ArgumentParser(description=__doc__).parse_args()
    sys.exit(main())
