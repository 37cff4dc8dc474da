"""`python -m tests.bench.plot`: draw `docs/performance.svg` from `docs/performance.json`."""

import argparse
import json
import sys
from collections.abc import Mapping
from typing import Any, Final

from matplotlib import pyplot as plt
from matplotlib import rcParams

from tests.bench.report import DELIVERIES, DOCS, PEERS

READERS: Final = (10, 100, 300)


def main() -> int:
    """Sealing by readers, and when 100 readers have a bulletin."""
    rcParams.update({"svg.hashsalt": "liaison", "svg.fonttype": "none", "font.size": 9})
    kept = json.loads((DOCS / "performance.json").read_text(encoding="utf-8"))
    rows = {each["name"]: each for each in kept["rows"]}
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.6), layout="constrained")
    ours = [_value(rows, f"peer_joserfc_{each}", "floor") for each in READERS]
    left.plot(READERS, ours, marker="o", linewidth=2, label="Liaison")
    for peer, name in PEERS.items():
        left.plot(
            READERS, [_value(rows, f"peer_{peer}_{each}", "value") for each in READERS], ".-", label=name
        )
    left.set(xscale="log", yscale="log", xlabel="readers", ylabel="ms", title="The first bulletin, sealed")
    left.set_xticks(READERS, [str(each) for each in READERS])
    left.legend(frameon=False)
    bars = {"Liaison": _value(rows, "peer_mosquitto_100", "floor")}
    bars |= {name: _value(rows, f"peer_{peer}_100", "value") for peer, name in DELIVERIES.items()}
    drawn = right.barh(list(bars), list(bars.values()), color=["C0", "C1", "C2"])
    right.bar_label(drawn, fmt="%.3g")
    right.set(xscale="log", xlim=(1, 5_000), xlabel="ms", title="Until 100 readers have verified it")
    right.invert_yaxis()
    figure.savefig(DOCS / "performance.svg", metadata={"Date": None})
    plt.close(figure)
    return 0


def _value(rows: Mapping[str, Mapping[str, Any]], name: str, which: str) -> float:
    row = rows.get(name)
    return float(row[which]) if row else float("nan")


if __name__ == "__main__":
    argparse.ArgumentParser(description=__doc__).parse_args()
    sys.exit(main())
