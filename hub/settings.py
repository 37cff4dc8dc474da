"""The hub's settings: arguments, then the environment (`LIAISON_HUB_*`), then `.env`, then a TOML file."""

import os
import ssl
from pathlib import Path
from typing import Final, Literal

from pydantic import Field
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from hub.fairness import Allowance
from hub.operating.notices import DAY, MINUTE, Limits
from hub.partitions import SLOTS
from hub.rota import NAME
from hub.stream_limits import StreamLimits
from hub.tls import ServerTls, client_context, pinned_context
from schemas.errors import Code, OperationError

CONFIG_VARIABLE: Final = "LIAISON_HUB_CONFIG"
"""Names the TOML file; without it `liaison-hub.toml` in the working directory is read if it is there."""


class HubSettings(BaseSettings):
    """Everything an operator may set. No secret is among them: keys are files in `state`, readable by the hub
    alone.
    """

    model_config = SettingsConfigDict(
        env_prefix="LIAISON_HUB_", env_file=".env", extra="ignore", hide_input_in_errors=True
    )

    state: Path = Field(Path("hub-state"), description="the hub's directory: keys, accounts, NATS store")
    host: str = Field("127.0.0.1", description="address on which the embedded NATS server listens")
    port: int = Field(4222, ge=0, le=65_535, description="its port; 0 takes a free one")
    websocket_port: int | None = Field(
        None,
        ge=0,
        le=65_535,
        description="loopback port of NATS over WebSocket, without TLS; 0: a free one; none: no listener",
    )
    leaf_port: int | None = Field(
        None, ge=1, le=65_535, description="port of the embedded server for leaf nodes; none: no listener"
    )
    nats: str | None = Field(
        None, description="URL of an existing NATS server in place of the embedded one; several with commas"
    )
    member: str | None = Field(
        None,
        pattern=f"^{NAME}$",
        description="this hub's name among several on one cluster; none: it is alone",
    )
    partitions: int = Field(
        4, ge=1, le=SLOTS, description="into how many parts several hubs divide the intake; the same for all"
    )
    replicas: Literal[1, 3, 5] | None = Field(
        None, description="copies of each stream; none: 3 for several hubs, else 1"
    )
    nats_ca: Path | None = Field(
        None,
        description="PEM file of who signs NATS's certificates; none: this machine's authorities",
    )
    nats_cert: Path | None = Field(
        None, description="PEM file of the hub's own certificate, where one is asked for"
    )
    nats_key: Path | None = Field(None, description="its key")
    tls_cert: Path | None = Field(
        None, description="PEM file with which the embedded server answers by TLS; none: without TLS"
    )
    tls_key: Path | None = Field(None, description="its key")
    tls_client_ca: Path | None = Field(
        None, description="PEM file of who signs clients' certificates, which they then must have"
    )
    placement_cluster: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9_-]{1,64}$",
        description="the NATS cluster that keeps the streams, among several",
    )
    placement_tags: list[str] = Field(
        [], description="tags of the servers that keep the streams, as site:geneva"
    )
    metrics_port: int | None = Field(
        None,
        ge=0,
        le=65_535,
        description="HTTP port of /metrics, /healthz and /readyz; 0: a free one; none: no listener",
    )
    metrics_host: str = Field(
        "127.0.0.1",
        description="address of that port; it has neither password nor TLS: see the operator guide",
    )
    traces_url: str | None = Field(
        None,
        pattern=r"^https?://[^@\s]+$",
        description="where traces are sent, as http://127.0.0.1:4318/v1/traces (OTLP); none: there are none",
    )
    traces_ratio: float = Field(1.0, ge=0, le=1, description="the share of bulletins that is traced")
    log: Literal["auto", "json", "console"] = Field(
        "auto", description="log format; auto: colours in a terminal, else JSON"
    )
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    intake_bytes: int = Field(
        1024**3, ge=16 * 1024**2, description="room for what was sent in and not yet admitted"
    )
    quarantine_bytes: int = Field(256 * 1024**2, ge=1024**2, description="room for refused frames")
    quarantine_days: int = Field(90, ge=1, le=3650, description="how long refused frames are kept")
    chunk_bytes: int = Field(4 * 1024**3, ge=1024**2, description="room for the chunks of attachments")
    chunk_days: int = Field(90, ge=1, le=3650, description="how long chunks are kept")
    chunk_day_bytes: int = Field(
        4 * 1024**3, ge=0, description="how much one endpoint may upload in a day (UTC)"
    )

    sender_burst: int = Field(2_000, ge=100, description="what one endpoint may submit at once")
    sender_per_second: int = Field(
        100, ge=0, description="what it may submit in a second, for ever; 0: as much as it likes"
    )
    operators: list[str] = Field(
        [], description="ids of the agencies whose nodes are told how the hub and its endpoints are"
    )
    certificates: list[Path] = Field(
        [], description="further PEM files whose certificates are watched for their end"
    )
    alarm_lag: int = Field(1_000, ge=2, description="told when so many messages wait for an endpoint")
    alarm_silence_minutes: int = Field(120, ge=65, description="told when an endpoint was quiet for so long")
    alarm_refused: int = Field(20, ge=1, description="told when so many of its are refused in ten minutes")
    alarm_disk_bytes: int = Field(1024**3, ge=0, description="told when less is free on the hub's disk")
    alarm_expiry_days: int = Field(30, ge=1, description="told so long before a key or certificate ends")
    alarm_key_days: int = Field(365, ge=1, description="for so long an endpoint's keys are good")

    @property
    def allowance(self) -> Allowance:
        """What one endpoint may submit."""
        return Allowance(self.sender_burst, self.sender_per_second)

    @property
    def limits(self) -> Limits:
        """From where on operators are told."""
        return Limits(
            self.alarm_lag,
            self.alarm_silence_minutes * MINUTE,
            self.alarm_refused,
            self.alarm_disk_bytes,
            self.alarm_expiry_days * DAY,
            self.alarm_key_days * DAY,
        )

    @property
    def accounts_directory(self) -> Path:
        """Keys and endpoint records."""
        return self.state / "hub"

    @property
    def nats_directory(self) -> Path:
        """The embedded server's files."""
        return self.state / "nats"

    @property
    def control_credentials(self) -> Path:
        """The `.creds` file of the hub's commands."""
        return self.state / "control.creds"

    @property
    def server_snippet(self) -> Path:
        """What an existing NATS server must include in its configuration (`--nats`)."""
        return self.state / "nats-operator.conf"

    @property
    def stream_limits(self) -> StreamLimits:
        """The chosen limits, as the streams take them."""
        placement: dict[str, str | list[str]] = {}
        if self.placement_cluster is not None:
            placement["cluster"] = self.placement_cluster
        if self.placement_tags:
            placement["tags"] = self.placement_tags
        return StreamLimits(
            self.intake_bytes,
            self.quarantine_bytes,
            self.quarantine_days,
            self.chunk_bytes,
            self.chunk_days,
            self.replicas or (1 if self.member is None else 3),
            shared=self.member is not None,
            placement=placement,
        )

    @property
    def tls(self) -> ServerTls | None:
        """The embedded server's; None without. OperationError `bad_settings` for half of it."""
        if self.tls_cert is None and self.tls_key is None:
            return None
        if self.tls_cert is None or self.tls_key is None:
            raise OperationError(
                Code.BAD_SETTINGS, "a certificate without its key, or a key alone", "set tls_cert and tls_key"
            )
        return ServerTls(self.tls_cert.absolute(), self.tls_key.absolute(), _absolute(self.tls_client_ca))

    @property
    def watched_certificates(self) -> list[Path]:
        """Whose end is watched: what the hub itself shows or believes, and what the operator named."""
        own = (self.tls_cert, self.tls_client_ca, self.nats_ca, self.nats_cert)
        return [*(each for each in own if each is not None), *self.certificates]

    def tls_context(self) -> ssl.SSLContext | None:
        """For connections to NATS: the embedded server is known by its very certificate. OperationError
        `bad_settings`.
        """
        if self.nats is None and self.tls is not None and self.nats_ca is None:
            return pinned_context(self.tls.certificate, self.nats_cert, self.nats_key)
        return client_context(self.nats_ca, self.nats_cert, self.nats_key)

    @property
    def nats_urls(self) -> list[str]:
        """Where the hub connects; none for the embedded server."""
        return [each.strip() for each in (self.nats or "").split(",") if each.strip()]

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the library's signature
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Add the TOML file, last."""
        toml = TomlConfigSettingsSource(
            settings_cls, Path(os.environ.get(CONFIG_VARIABLE, "liaison-hub.toml"))
        )
        return init_settings, env_settings, dotenv_settings, toml


def _absolute(path: Path | None) -> Path | None:
    return None if path is None else path.absolute()
