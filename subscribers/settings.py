"""Settings of the agency's node and of its commands: environment, `.env`, then TOML."""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from schemas.vocabulary import Kind, Tlp
from subscribers.exchange.hub_tls import HubTls

HOUR: int = 3600


class DigestSchedule(BaseModel):
    """A digest bulletin that this node composes for a community by itself, once a period."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    community: str
    """Slug or id."""
    period: Literal["day", "week"] = "day"
    """The UTC day, or the ISO week, that has just ended."""
    at: str = Field(default="06:00", pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")
    """When to compose it, UTC."""


class RetentionRule(BaseModel):
    """Bulletins that are all of what is said here are purged so many days after they came."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    days: int = Field(ge=1, le=36_500)
    kind: Kind | None = None
    tlp: Tlp | None = None
    personal: bool | None = None
    """Whether they say anything of people."""


class NodeSettings(BaseSettings):
    """`LIAISON_AGENCY_*`, or `agency.toml` in the working directory."""

    model_config = SettingsConfigDict(
        env_prefix="LIAISON_AGENCY_",
        env_nested_delimiter="__",
        env_file=".env",
        toml_file="agency.toml",
        extra="ignore",
    )

    state: Path = Path("agency")
    """The node's directory: keys, archive, local NATS. 0700."""
    host: str = "127.0.0.1"
    """Where the local NATS listens."""
    port: int = Field(default=0, ge=0, le=65535)
    """Its port; 0 lets the server choose one, which is kept for later starts."""
    metrics_port: int | None = Field(default=None, ge=0, le=65535)
    """HTTP port of /metrics, /healthz and /readyz; 0: a free one; none: no listener."""
    metrics_host: str = "127.0.0.1"
    """Address of that port; it has neither password nor TLS: see the agency guide."""
    local_retention_days: int = Field(default=7, ge=1, le=90)
    jsonl: Path | None = None
    """Append every bulletin to this file as one line of JSON."""
    jsonl_ceiling: Tlp = Tlp.AMBER
    """What is marked higher is left out of that file."""
    epoch_hours: int = Field(default=24, ge=1, le=24 * 30)
    """How long one content key serves in a community."""
    epoch_bulletins: int = Field(default=1_000, ge=1)
    """How many bulletins one content key serves."""
    epoch_key_days: int = Field(default=0, ge=0, le=3650)
    """Content keys are deleted after this; 0 keeps them. Bulletins in the archive stay readable."""
    key_rotate_days: int = Field(default=30, ge=0, le=365)
    """After this the node makes new keys by itself; 0: only when it is told to."""
    key_overlap_days: int = Field(default=7, ge=1, le=90)
    """How long a replaced encryption key still opens what was on its way."""
    key_max_days: int = Field(default=90, ge=8, le=3650)
    """An encryption key older than this is warned of, ours and others'."""
    life_days: int = Field(default=30, ge=1, le=365)
    """After this the hub no longer takes a bulletin that is still waiting here."""
    heartbeat_seconds: int = Field(default=300, ge=1, le=300)
    """After so long without a frame of ours a community hears that there is none. The longer the quiet, the
    rarer: hourly in the end. FORMAT.md promises readers that it is no more than five minutes.
    """
    hub_ca: Path | None = None
    """PEM file of who signs the hub's certificates; none: `hub-ca.pem` in the state, or this machine's
    authorities.
    """
    hub_cert: Path | None = None
    """PEM file of a certificate of ours, where the hub asks for one; none: `hub-cert.pem` in the state."""
    hub_key: Path | None = None
    """Its key; none: `hub-key.pem` in the state."""
    history_patience_seconds: int = Field(default=600, ge=1, le=86_400)
    """How long a holder of old keys is waited for before the next one is asked."""
    attachment_bytes: int = Field(default=8 * 1024**3, ge=1024**2)
    """Room on this machine's disk for the chunks of attachments, on their way out or as they came in."""
    attachment_days: int = Field(default=7, ge=1, le=365)
    """How long they are kept here. What is fetched later comes from the hub again."""
    air_gap: bool = False
    """No connection to the hub: messages come and go in parcels (`export`, `import`)."""
    add_delay_hours: float = Field(default=0, ge=0, le=24 * 90)
    """Sign no addition to a community that takes effect in less: its members have so long to object."""
    report_seconds: float = Field(default=5, ge=0, le=3600)
    """How long amendments and retractions are gathered before their originator is told that they were
    applied here.
    """
    recall_hours: float = Field(default=24, ge=0, le=24 * 90)
    """A retraction of ours that some member has not confirmed after this is warned of."""
    digests: list[DigestSchedule] = []
    retention: list[RetentionRule] = []
    """How long bulletins stay in the archive, by what they are; the shortest of the rules that fit. Without
    one that fits they stay.
    """
    traces_url: str | None = Field(default=None, pattern=r"^https?://[^@\s]+$")
    """Where traces are sent, as `http://127.0.0.1:4318/v1/traces` (OTLP); none: there are none."""
    traces_ratio: float = Field(default=1.0, ge=0, le=1)
    """The share of bulletins that is traced."""
    log: Literal["auto", "json", "console"] = "auto"
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @property
    def hub_tls(self) -> HubTls:
        """What of TLS is to be used with the hub."""
        return HubTls.beside(self.state, self.hub_ca, self.hub_cert, self.hub_key)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What is given in code wins over the environment, that over `.env`, that over TOML."""
        toml = TomlConfigSettingsSource(settings_cls)
        return (init_settings, env_settings, dotenv_settings, file_secret_settings, toml)
