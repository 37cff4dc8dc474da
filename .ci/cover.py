"""Hold the last test run's coverage against what `[tool.liaison.cover]` in pyproject.toml demands.

Each key there is a glob from the repository's root, each value the least coverage of lines and branches,
in per cent, of every file it names. A pattern that names no file, or a file that the run did not see, is an
error: a module that is moved must not slip out of the check.
"""

import json
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
REPORT = ROOT / "build/coverage/coverage.json"


def shortfalls(demanded: dict[str, float], files: dict[str, float], named: dict[str, list[str]]) -> list[str]:
    """Say, for each file below its demand, what it has and what it lacks.

    `demanded` maps a pattern to per cent, `files` a path to per cent, `named` a pattern to the paths that it
    matches.
    """
    problems = []
    for pattern, least in demanded.items():
        if not named[pattern]:
            problems.append(f"{pattern}: names no file; correct [tool.liaison.cover] in pyproject.toml")
        for path in named[pattern]:
            if path not in files:
                problems.append(f"{path}: not in the report; run `make test` first")
            elif files[path] < least:
                problems.append(f"{path}: {files[path]:.1f}% of lines and branches, {least}% is demanded")
    return problems


def main() -> int:
    """Print the verdict; 0 when every demand is met."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    demanded: dict[str, float] = settings["tool"]["liaison"]["cover"]
    report = json.loads(REPORT.read_text(encoding="utf-8"))
    files = {path: entry["summary"]["percent_covered"] for path, entry in report["files"].items()}
    named = {
        pattern: sorted(found.relative_to(ROOT).as_posix() for found in ROOT.glob(pattern))
        for pattern in demanded
    }
    problems = shortfalls(demanded, files, named)
    for problem in problems:
        print(problem)
    if problems:
        print("`coverage report -m` lists the lines and branches.")
        return 1
    total = report["totals"]["percent_covered"]
    checked = {path for paths in named.values() for path in paths}
    print(f"Coverage: {total:.1f}% overall; the {len(checked)} files with a demand of their own meet it")
    return 0


if __name__ == "__main__":
    sys.exit(main())
