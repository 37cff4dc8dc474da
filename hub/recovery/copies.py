"""A backup of the hub, made while it runs, and a hub's state directory made of one.

In it: the streams that are its state (JetStream's snapshots, durables included), every key, the accounts, its
documents; not what waits in the intake, which its senders keep until they have a receipt. TRAFFIC comes
before DIRECTORY, so that whatever a frame cites is there, and the accounts come last. docs/decisions/0045.
"""

import contextlib
import os
import secrets
import tempfile
from collections.abc import AsyncIterator, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple

from nats.aio.client import Client

from hub.accounts import Accounts, Service
from hub.claims import push_all
from hub.dialling import dialled
from hub.files import private_directory, read_private, sync_directory, write_private
from hub.grants import DIRECTORY, TRAFFIC
from hub.jetstream import api
from hub.keeping import URL_FILE
from hub.operating.audit import AUDIT
from hub.patience import patiently
from hub.recovery.returned import Returned
from hub.recovery.snapshots import Snapshot, restored, snapshot
from hub.server import NatsServer
from hub.settings import HubSettings
from hub.streams import QUARANTINE
from schemas.cask import Lid, Packing, Unpacking
from schemas.encoding import instant
from schemas.errors import Code, LiaisonError, OperationError
from schemas.stowage import Manifest, Stowing, unstow
from schemas.subjects import CHUNKS

STREAMS: Final = (TRAFFIC, QUARANTINE, CHUNKS, AUDIT, DIRECTORY)
_FILES: Final = "files"
_ELECTION: Final = 2.0
_TOGETHER: Final = 30.0
_PART: Final = 8 * 1024 * 1024
_PASSPHRASE_MAX: Final = 4096
_LEFT_OUT: Final = frozenset({"nats", "serve.lock", URL_FILE})


class Told(NamedTuple):
    """What is said of a backup: when it was made (Unix ms), and how many messages each stream in it has."""

    made: int
    messages: dict[str, int]
    files: int
    size: int

    def shown(self) -> dict[str, Any]:
        """For JSON."""
        return {**self._asdict(), "made": instant(self.made)}


def read_passphrase(path: Path) -> str:
    """The first line of a private file. OperationError NOT_FOUND, FORBIDDEN or BAD_REQUEST."""
    try:
        return read_private(path)[:_PASSPHRASE_MAX].decode("utf-8").split("\n", 1)[0]
    except UnicodeDecodeError:
        raise OperationError(
            Code.BAD_REQUEST, f"{path} holds no passphrase", "name a text file with one line"
        ) from None


def target(path: Path, made: int) -> Path:
    """Where a backup goes: the file, or one with its time in its name in the directory."""
    if not path.is_dir():
        return path
    stamp = instant(made).replace(":", "").replace("-", "").partition(".")[0].rstrip("Z")
    return path / f"liaison-hub-{stamp}.backup"


async def make(settings: HubSettings, out: Path, passphrase: str, now: int, *, chunks: bool = True) -> Told:
    """Write a backup of the running hub to the new file `out`, 0600; `now` in Unix ms. Without `chunks` the
    files of attachments stay out.

    OperationError HUB_UNREACHABLE, ALREADY_KNOWN when there is such a file, DISK_FULL, BAD_REQUEST for a
    passphrase that is too short.
    """
    _see_new(out)
    lid = Lid.fresh("hub", now)
    fresh = out.with_name(f".{out.name}.{secrets.token_hex(8)}")
    streams = [each for each in STREAMS if chunks or each != CHUNKS]
    try:
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            stowing = Stowing(Packing(file.write, lid, passphrase))
            found = dict[str, Snapshot]()
            async with hub_connection(settings) as nc:
                for stream in streams:
                    found[stream] = await _stow_stream(nc, stream, stowing)
            for path in _small_files(settings.state):
                stowing.add(f"{_FILES}/{path.relative_to(settings.state).as_posix()}", path.read_bytes())
            about = {"made": now, "streams": {name: list(each) for name, each in found.items()}}
            manifest = stowing.close(about)
            file.flush()
            os.fsync(file.fileno())
        _take_name(fresh, out)
    except OSError as error:
        raise _unwritten(out, error) from None
    finally:
        fresh.unlink(missing_ok=True)
    return _told(manifest, out)


def verify(path: Path, passphrase: str) -> Told:
    """Read a whole backup and hold it against its manifest. Raises as `restore`."""

    def pass_over(_: str, pieces: Iterator[bytes]) -> None:
        for _piece in pieces:
            pass

    return _told(_unstowed(path, passphrase, pass_over), path)


async def restore(settings: HubSettings, path: Path, passphrase: str, now: int) -> Told:
    """Make the hub's state directory, and its streams in an embedded server or the one that the settings
    name; `now` is Unix ms.

    All of it or nothing, as far as a server that is not ours allows: its streams are made one after the
    other. FormatError BAD_DOCUMENT or TRUNCATED for no whole backup; OperationError WRONG_KEY for another
    passphrase, ALREADY_KNOWN when the directory or that server holds anything, DISK_FULL, HUB_UNREACHABLE.
    """
    state = settings.state
    if state.exists() and any(state.iterdir()):
        raise OperationError(
            Code.ALREADY_KNOWN,
            f"{state} is not empty",
            "nothing is overwritten: name another directory, or move this one away",
        )
    parent = state.absolute().parent
    try:
        parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".liaison-", dir=parent) as name:
            fresh, parts = Path(name) / "state", Path(name) / "parts"
            manifest = _unpack(path, passphrase, Path(name))
            (Path(name) / _FILES).rename(fresh)
            _write_snippet(settings, fresh)
            await _restore_streams(settings, fresh, parts, manifest, now)
            if state.exists():
                state.rmdir()
            fresh.rename(state)
            sync_directory(parent)
    except OSError as error:
        raise _unwritten(state, error) from None
    return _told(manifest, path)


@contextlib.asynccontextmanager
async def hub_connection(settings: HubSettings) -> AsyncIterator[Client]:
    """A connection of the HUB account to the hub that runs on a state directory. OperationError
    HUB_UNREACHABLE.
    """
    file = settings.state / URL_FILE
    if settings.nats is None and not file.exists():
        raise OperationError(
            Code.HUB_UNREACHABLE,
            f"no hub has run on {settings.state}",
            "start it with `liaison-hub serve`, or give --state",
        )
    accounts = Accounts.load(settings.accounts_directory)
    urls = settings.nats_urls or file.read_text("ascii").strip().split(",")
    asked = accounts.credentials(Service.HUB).options()
    async with dialled(urls, settings.tls_context(), own=settings.nats is not None, **asked) as nc:
        yield nc


async def _stow_stream(nc: Client, stream: str, stowing: Stowing) -> Snapshot:
    found: list[Snapshot] = []

    async def take(what: Snapshot, pieces: AsyncIterator[bytes]) -> None:
        found.append(what)
        number, held = 0, bytearray()
        async for piece in pieces:
            held += piece
            if len(held) >= _PART:
                stowing.add(f"parts/{stream}/{number:06}", bytes(held))
                number, held = number + 1, bytearray()
        stowing.add(f"parts/{stream}/{number:06}", bytes(held))

    await snapshot(nc, stream, take)
    return found[0]


def _small_files(state: Path) -> Iterator[Path]:
    for path in sorted(state.rglob("*")):
        parts = path.relative_to(state).parts
        hidden = any(part.startswith(".") for part in parts)
        if path.is_file() and not path.is_symlink() and not hidden and parts[0] not in _LEFT_OUT:
            yield path


def _unpack(path: Path, passphrase: str, into: Path) -> Manifest:
    def put(name: str, pieces: Iterator[bytes]) -> None:
        file = into / name
        private_directory(file.parent)
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
            for piece in pieces:
                out.write(piece)
            out.flush()
            os.fsync(out.fileno())

    manifest = _unstowed(path, passphrase, put)
    Accounts.load(into / _FILES / "hub")
    return manifest


def _unstowed(path: Path, passphrase: str, put: Any) -> Manifest:  # noqa: ANN401 - as `unstow` takes it
    try:
        with path.open("rb") as file:
            cask = Unpacking(file.read, passphrase)
            if cask.lid.what != "hub":
                raise OperationError(
                    Code.BAD_REQUEST, "this is a backup of a node", "use `liaison-agency restore`"
                )
            return unstow(cask, put)
    except OSError as error:
        raise _unwritten(path, error) from None


async def _restore_streams(
    settings: HubSettings, fresh: Path, parts: Path, manifest: Manifest, now: int
) -> None:
    accounts = Accounts.load(fresh / "hub")
    async with contextlib.AsyncExitStack() as stack:
        urls, tls = settings.nats_urls, settings.tls_context() if settings.nats else None
        if not urls:
            server = NatsServer(fresh / "nats", accounts, port=0)
            urls = [(await stack.enter_async_context(server)).url]
        own = settings.nats is not None
        asked = accounts.credentials(Service.HUB).options()
        if own:  # before its accounts are made these: it may be the server of a hub that runs
            async with dialled(urls, tls, own=own, **asked) as nc:
                # A cluster that has only just started has no leader yet, and answers nothing.
                await patiently(partial(_see_none_of, nc, manifest.about["streams"], accounts), _TOGETHER)
        async with dialled(urls, tls, own=own, **accounts.credentials(Service.SYSTEM).options()) as system:
            await push_all(system, accounts)
        async with dialled(urls, tls, own=own, **asked) as nc:
            for stream, (config, state) in manifest.about["streams"].items():
                files = sorted((parts / stream).iterdir())
                what = Snapshot(config, state)
                if stream == TRAFFIC:
                    made = int(manifest.about["made"])
                    what = what._replace(config=Returned(made, what.last, now).marked(config))
                last = await restored(nc, stream, what, (each.read_bytes() for each in files))
                if last < what.last:  # how many there are says nothing: the old ones may have had their time
                    message = f"{stream} came back up to {last}, not {what.last}"
                    raise OperationError(Code.STORE_CORRUPT, message, "take another backup")


async def _see_none_of(nc: Client, streams: Iterable[str], accounts: Accounts) -> None:
    there = (await api(nc, "STREAM.NAMES", timeout=_ELECTION)).get("streams") or []
    if found := sorted(set(streams).intersection(there)):
        raise OperationError(
            Code.ALREADY_KNOWN,
            f"the NATS server holds streams of this hub already: {', '.join(found)}",
            "use a server with an empty store; or, if nobody needs these any more, stop it, move "
            f"jetstream/{accounts.hub_public} out of its store_dir, start it, and restore again",
        )


def _write_snippet(settings: HubSettings, fresh: Path) -> None:
    """The one in the backup names the directory of the machine that was backed up."""
    accounts = Accounts.load(fresh / settings.accounts_directory.name)
    snippet = accounts.server_config((settings.nats_directory / "resolver").absolute())
    write_private(fresh / settings.server_snippet.name, snippet.encode())


def _told(manifest: Manifest, path: Path) -> Told:
    messages = {name: int(state["messages"]) for name, (_, state) in manifest.about["streams"].items()}
    return Told(int(manifest.about["made"]), messages, len(manifest.files), path.stat().st_size)


def _see_new(out: Path) -> None:
    if out.exists():
        raise _exists(out)


def _take_name(fresh: Path, out: Path) -> None:
    try:
        os.link(fresh, out)  # a rename would take the place of a backup that is there
    except FileExistsError:
        raise _exists(out) from None
    sync_directory(out.absolute().parent)


def _exists(out: Path) -> OperationError:
    return OperationError(
        Code.ALREADY_KNOWN, f"{out} exists", "a backup is never overwritten: name another file"
    )


def _unwritten(path: Path, error: OSError) -> LiaisonError:
    if isinstance(error, FileNotFoundError):
        return OperationError(Code.NOT_FOUND, f"{path} or its directory is not there", "check the path")
    code = Code.FORBIDDEN if isinstance(error, PermissionError) else Code.DISK_FULL
    return OperationError(code, f"{path}: {error.strerror}", "give this user a directory with room")
