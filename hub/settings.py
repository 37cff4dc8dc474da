"""The hub's settings: arguments, then the environment (`LIAISON_HUB_*`), then `.env`, then a TOML file."""

import os
from pathlib import Path
from typing import Final, Literal

from pydantic import Field
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from hub.streams import StreamLimits

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
    nats: str | None = Field(None, description="URL of an existing NATS server in place of the embedded one")
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
        return StreamLimits(
            self.intake_bytes, self.quarantine_bytes, self.quarantine_days, self.chunk_bytes, self.chunk_days
        )

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
