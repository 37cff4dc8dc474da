"""What `doctor` sees of a hub's machine without asking anybody: files, their permissions, keys, room."""

import shutil
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

from hub.accounts import Accounts
from hub.keeping import ReceiptSigner, documents
from hub.operating.doctor import Finding, amiss, refused, well
from hub.server import find_binary
from hub.settings import HubSettings
from schemas.errors import Code, LiaisonError, of_files

_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_NAMED_MAX = 5


def look(settings: HubSettings) -> list[Finding]:
    """Every check that needs no running hub."""
    checks: list[tuple[str, Callable[[HubSettings], Finding]]] = [
        ("keys", _keys),
        ("documents", _documents),
        ("permissions", _permissions),
        ("disk", _disk),
        ("tls", _tls),
    ]
    if not settings.nats:
        checks.append(("binary", _binary))
    return list(_guarded(checks, settings))


def _guarded(
    checks: list[tuple[str, Callable[[HubSettings], Finding]]], settings: HubSettings
) -> Iterator[Finding]:
    for name, check in checks:
        try:
            with of_files():
                found = check(settings)
        except LiaisonError as error:
            found = refused(name, error)
        yield found


def _keys(settings: HubSettings) -> Finding:
    accounts = Accounts.load(settings.accounts_directory)
    ReceiptSigner.load(settings)
    return well("keys", f"all there, and {len(accounts.endpoints())} endpoints' records")


def _documents(settings: HubSettings) -> Finding:
    documents(settings)
    return well("documents", "root and hub document are installed")


def _permissions(settings: HubSettings) -> Finding:
    """What holds keys, records or messages is for the hub's own user alone."""
    wide = [path for path in _private(settings) if path.lstat().st_mode & _OTHERS]
    if wide:
        more = f" and {len(wide) - _NAMED_MAX} more" if len(wide) > _NAMED_MAX else ""
        named = ", ".join(map(str, wide[:_NAMED_MAX])) + more
        fix = f"chmod -R go-rwx {settings.state}, and consider keys that were readable as seen"
        return amiss("permissions", Code.FORBIDDEN, f"open to other users: {named}", fix)
    return well("permissions", "nothing private is open to other users")


def _private(settings: HubSettings) -> Iterator[Path]:
    yield settings.state
    for path in (settings.control_credentials, settings.nats_directory):
        if path.exists():
            yield path
    if settings.accounts_directory.is_dir():
        yield settings.accounts_directory
        yield from settings.accounts_directory.rglob("*")


def _disk(settings: HubSettings) -> Finding:
    free = shutil.disk_usage(settings.state).free
    said = f"{free // 1024**2} MiB free"
    if free < settings.alarm_disk_bytes:
        return amiss("disk", Code.DISK_FULL, said, "free room: a full disk stops admission")
    return well("disk", said)


def _tls(settings: HubSettings) -> Finding:
    settings.tls_context()
    return well("tls", "usable" if settings.tls or settings.nats_ca else "none is set")


def _binary(_: HubSettings) -> Finding:
    return well("binary", str(find_binary()))
