"""What became of the mutants: result.json, made of mutants/results.json and explained.json.

A survivor is explained by what it changes, not by its number: that holds for as long as the line does.
"""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any, Final

from mutmut.mutation.diff_apply import get_diff_for_mutant

_HERE: Final = Path(__file__).parent
_KEPT: Final = Path("mutants/results.json")
_EXPLAINED: Final = _HERE / "explained.json"
_RESULT: Final = _HERE / "result.json"


def report() -> int:
    """Write the result; 0 when every mutant was tried, and every survivor is explained."""
    kept: dict[str, dict[str, str]] = json.loads(_KEPT.read_text())
    rules = [
        (re.compile(each["change"], re.DOTALL), each["why"]) for each in json.loads(_EXPLAINED.read_text())
    ]
    modules: dict[str, Counter[str]] = {}
    survivors, open_ = [], 0
    for name, each in sorted(_all(kept).items()):
        module = name.rpartition(".")[0]
        counted = modules.setdefault(module, Counter())
        became = each["became"]
        if became == "survived":
            change = _change(name, module)
            why = next((why for pattern, why in rules if pattern.search(f"{name}\n{change}")), "")
            survivors.append({"mutant": name, "change": change.split("\n"), "why": why})
            became = "explained" if why else "unexplained"
            open_ += not why
        counted[became] += 1
    untried = sum(counted["not tried"] for counted in modules.values())
    result = {"modules": {name: _row(each) for name, each in modules.items()}, "survivors": survivors}
    _RESULT.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n")
    _show(modules)
    print(f"{open_} survivors without an explanation, {untried} mutants not tried")
    return 1 if open_ or untried else 0


def _all(kept: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
    """Every mutant there is, with what became of it where its source is still the same."""
    found = {}
    for path in sorted(Path("mutants").rglob("*.py.meta")):
        meta: dict[str, Any] = json.loads(path.read_text())
        for name in meta["exit_code_by_key"]:
            source = meta["hash_by_function_name"].get(name.rpartition(".")[2].partition("__mutmut_")[0], "")
            known = kept.get(name, {})
            found[name] = known if known.get("source") == source else {"became": "not tried"}
    return found


def _change(name: str, module: str) -> str:
    """The lines that differ."""
    lines = get_diff_for_mutant(name, path=module.replace(".", "/") + ".py").split("\n")
    return "\n".join(line for line in lines if line[:1] in "+-" and not line.startswith(("+++", "---")))


def _row(counted: Counter[str]) -> dict[str, object]:
    tried = sum(counted.values()) - counted["not tried"]
    noticed = counted["killed"] + counted["timeout"]
    score = round(100 * noticed / tried, 1) if tried else None
    return {
        "mutants": sum(counted.values()),
        "score": score,
        **{name: counted[name] for name in sorted(counted)},
    }


def _show(modules: dict[str, Counter[str]]) -> None:
    heads = ("mutants", "killed", "explained", "open", "no tests", "not tried")
    print(f"{'module':32}" + "".join(f" {head:>9}" for head in heads))
    for name, each in [*modules.items(), ("all", sum(modules.values(), Counter()))]:
        killed = each["killed"] + each["timeout"]
        row = (
            sum(each.values()),
            killed,
            *(each[n] for n in ("explained", "unexplained", "no tests", "not tried")),
        )
        print(f"{name:32}" + "".join(f" {number:>9}" for number in row))
