"""Mutation testing of what decides who is believed: `make mutate`.

    python -m tests.mutate [--modules schemas.frame ...] [--seconds n]    make and try mutants, going on
    python -m tests.mutate --report                                       what became of them so far
    python -m tests.mutate --show schemas.frame.x_join__mutmut_1          one of them

mutmut makes the mutants and says which tests reach which function ([tool.mutmut] in pyproject.toml);
tests/mutate/forks.py tries them. Two of mutmut's operators are narrowed: what is said to people in a refusal
is no decision, and no test should hold its words.
"""

import argparse
import sys


def main() -> int:
    """0 when every mutant was tried, and every survivor is explained."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutate", description=__doc__)
    parser.add_argument("--modules", nargs="*", default=[], help="these alone, such as schemas.frame")
    parser.add_argument("--seconds", type=float, default=1e9, help="stop after this time")
    parser.add_argument(
        "--again", action="store_true", help="try what survived again, first: tests have changed"
    )
    parser.add_argument("--report", action="store_true")
    parser.add_argument("--show", metavar="MUTANT")
    asked = parser.parse_args()
    from tests.mutate import making, result  # noqa: PLC0415 - mutmut is there only where mutants are made

    if asked.show:
        print(making.shown(asked.show))
        return 0
    if not asked.report:
        making.narrow()
        making.make(again=asked.again)
        making.try_all(asked.modules, asked.seconds, again=asked.again)
    return result.report()


if __name__ == "__main__":
    sys.exit(main())
