"""The promises that the repository makes about itself and that no other tool checks."""

import importlib.metadata
import os
import re
import runpy
import subprocess
import sys
import tomllib
from collections import Counter
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PACKAGES = ("schemas", "hub", "subscribers", "bots")
SCRIPTS: dict[str, str] = PROJECT["project"]["scripts"]
CATALOGUES = {"en", "fr", "ru", "ar"}

LONGEST_MODULE = 400
# A module may be longer for a reason that a reader would accept; say it here.
LONGER_FOR_A_REASON: dict[str, str] = {}

# Primitives that make or open content, as a careless module would reach for them.
CONTENT_KEY_IMPORTS = (
    "from nacl import public",
    "import nacl.secret",
    "from nacl.bindings import crypto_secretstream_xchacha20poly1305_pull",
    "from nacl.bindings import crypto_aead_xchacha20poly1305_ietf_decrypt",
    "from nacl.bindings.crypto_box import crypto_box_seal_open",
    "from cryptography.hazmat.primitives import hpke",
    "from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305",
)


def tracked_files() -> list[Path]:
    """Every file that git tracks and that is there; skips outside a checkout (an unpacked archive)."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True)
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def modules() -> list[Path]:
    """The modules of the four packages."""
    return sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))


def test_one_version_everywhere() -> None:
    version = PROJECT["project"]["version"]
    assert importlib.metadata.version("liaison") == version
    newest = re.search(
        r"^## \[(\d+\.\d+\.\d+)\]", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert newest is not None, "CHANGELOG.md names no version"
    assert newest[1] == version


@pytest.mark.parametrize("name", sorted(SCRIPTS))
def test_every_command_explains_itself_without_loading_the_chat_framework(name: str) -> None:
    """`import aiogram` takes seconds: no command pays for it before it has to."""
    module, _, function = SCRIPTS[name].partition(":")
    program = (
        f"import sys; sys.argv = [{name!r}, '--help']\n"
        f"import atexit; atexit.register(lambda: print('loaded', 'aiogram' in sys.modules))\n"
        f"from {module} import {function}; {function}()"
    )
    shown = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert shown.returncode == 0, shown.stderr
    assert "Usage:" in shown.stdout
    assert shown.stdout.endswith("loaded False\n")


def test_no_module_grows_without_a_reason() -> None:
    lengths = {
        path.relative_to(ROOT).as_posix(): len(path.read_text(encoding="utf-8").splitlines())
        for path in modules()
    }
    long = {name: length for name, length in lengths.items() if length > LONGEST_MODULE}
    assert set(long) == set(LONGER_FOR_A_REASON), long


def test_no_file_names_a_directory_of_the_machine_it_was_written_on() -> None:
    home = re.compile(rb"(?<![\w./-])/(?:home|root|work|Users)/[\w.]")
    named = [path for path in tracked_files() if home.search(path.read_bytes())]
    assert not named


def test_nothing_waits_so_that_it_may_not_hear_that_it_shall_end() -> None:
    """Under Python 3.11 `asyncio.wait_for` can lose a cancellation; `asyncio.timeout` does not."""
    deaf = re.compile(
        r"\basyncio\.wait_for\(|\bfrom nats\.aio\.client import Client\b.*\bClient\(\)", re.DOTALL
    )
    assert [
        path for path in modules() if "tests" not in path.parts and deaf.search(path.read_text("utf-8"))
    ] == []


def test_the_lock_names_the_public_index_only() -> None:
    lock = (ROOT / "uv.lock").read_text(encoding="utf-8")
    hosts = set(re.findall(r'"[a-z]+://([^/"]+)', lock))
    assert hosts == {"pypi.org", "files.pythonhosted.org"}
    sources = set(re.findall(r"^source = \{ (\w+) = ", lock, re.MULTILINE))
    assert sources == {"registry", "editable"}


def test_every_lint_rule_left_out_has_its_reason_beside_it() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    ignored = re.search(r"^ignore = \[\n(.*?)^\]", text, re.MULTILINE | re.DOTALL)
    assert ignored is not None
    bare = [line for line in ignored[1].splitlines() if not re.search(r'^\s+"[A-Z0-9]+",\s+# \S', line)]
    assert not bare


@pytest.mark.parametrize("line", CONTENT_KEY_IMPORTS)
@pytest.mark.parametrize(
    "module", ["schemas/frame.py", "hub/admission.py", "bots/showing/render.py", "subscribers/node.py"]
)
def test_content_keys_are_out_of_reach_of_other_modules(module: str, line: str) -> None:
    command = [
        sys.executable,
        "-m",
        "ruff",
        "check",
        "--select",
        "TID251",
        "--quiet",
        "--stdin-filename",
        module,
        "-",
    ]
    refused = subprocess.run(
        command, input=f"{line}\n", capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert refused.returncode == 1
    assert "TID251" in refused.stdout


def test_the_test_files_have_names_of_their_own() -> None:
    names = Counter(path.name for path in (ROOT / "tests").rglob("test_*.py"))
    assert [name for name, count in names.items() if count > 1] == []


@pytest.mark.parametrize("script", [".ci/run", ".ci/browser"])
def test_the_scripts_can_be_run(script: str) -> None:
    assert os.access(ROOT / script, os.X_OK)
    subprocess.run(["bash", "-n", script], cwd=ROOT, check=True)


def test_every_language_has_every_text() -> None:
    """A missing translation would fall back to English in the middle of an officer's chat."""
    catalogues = {path.parts[-3]: path for path in (ROOT / "bots/locales").glob("*/LC_MESSAGES/*.po")}
    assert set(catalogues) >= CATALOGUES - {"en"}
    texts = {}
    for language, path in catalogues.items():
        with path.open("rb") as file:
            catalogue = read_po(file, locale=language)
        texts[language] = {message.id for message in catalogue if message.id}
        unfinished = [m.id for m in catalogue if m.id and (m.fuzzy or not all(_strings(m.string)))]
        assert not unfinished, f"{language}: {unfinished}"
    first = next(iter(texts.values()))
    for language, ids in texts.items():
        assert ids == first, f"{language}: {ids ^ first}"


def _strings(translated: object) -> list[object]:
    return list(translated) if isinstance(translated, (list, tuple)) else [translated]


def test_the_coverage_gate_refuses_what_is_low_unseen_or_gone() -> None:
    shortfalls = runpy.run_path(str(ROOT / ".ci/cover.py"))["shortfalls"]
    demanded = {"a/*.py": 100, "b.py": 100, "gone.py": 90}
    named = {"a/*.py": ["a/full.py", "a/low.py"], "b.py": ["b.py"], "gone.py": []}
    problems = shortfalls(demanded, {"a/full.py": 100.0, "a/low.py": 99.9}, named)
    assert [problem.split(":")[0] for problem in problems] == ["a/low.py", "b.py", "gone.py"]
