"""Settings of the bot: `LIAISON_BOT_*` in the environment, then `.env`, then `bot.toml`."""

from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from bots.drafting.policy import TwoPersons
from bots.duty.ringing import Pace, Ways
from bots.showing.release import Ceiling
from bots.telling.pacing import Rate, Rates
from bots.times import zone
from schemas.errors import Code, OperationError
from schemas.vocabulary import Tlp

_SECRET_MAX = 4096


class BotSettings(BaseSettings):
    """Everything that the bot can be told. Rates are messages a second."""

    model_config = SettingsConfigDict(
        env_prefix="LIAISON_BOT_",
        env_file=".env",
        toml_file="bot.toml",
        extra="ignore",
        hide_input_in_errors=True,
    )

    state: Path = Path("bot")
    """The bot's folder: its encrypted database and key. 0700."""
    token: SecretStr | None = None
    """The chat service's bot token; better given by `token_file`."""
    token_file: Path | None = None
    api_url: str = "https://api.telegram.org"
    """Base address of the Bot API; the sandbox's in a demo."""
    node_dir: Path | None = None
    """On the node's own machine: the directory of its local NATS, which holds its address and this
    client's seed.
    """
    node_url: str = "nats://127.0.0.1:4333"
    """The agency's local NATS; read from `node_dir` when that is given."""
    node_seed_file: Path | None = None
    """The seed of this client of the node (role publisher, so that it may acknowledge)."""
    node_name: str = "bot"
    """The client's name in the node's registry."""
    un_list: Path | None = None
    """The UN Consolidated List's XML; on the node's own machine (`node_dir`) what `liaison-agency un-list
    load` loaded, when it is not given.
    """
    ceiling: Tlp = Tlp.GREEN
    """The highest marking that is shown in full in chat."""
    stub_ceiling: Tlp = Tlp.AMBER
    """The highest marking of which kind, severity and marking are shown; above, only that a bulletin
    waits.
    """
    two_person_release: TwoPersons = TwoPersons.OFF
    """When a bulletin needs a second officer to release it: `off`, `above-green`, `always`."""
    inline: bool = False
    """Whether a TLP:CLEAR bulletin can be quoted in any chat by its reference. The bot's inline mode must be
    switched on at the chat service as well.
    """
    zone: str = "UTC"
    """IANA time zone of new officers, and of duty rosters."""
    ring_minutes: float = Field(default=3.0, gt=0, le=60)
    ring_calls: int = Field(default=3, ge=1, le=20)
    """A flash calls whoever is on duty again after so many minutes; after so many calls the next one too."""
    audit_days: int = Field(default=400, ge=30, le=36_500)
    """How long it is kept who saw and did what."""
    invitation_hours: int = Field(default=72, ge=1, le=24 * 30)
    overall_rate: float = Field(default=30.0, gt=0, le=1_000)
    chat_rate: float = Field(default=1.0, gt=0, le=100)
    chat_burst: int = Field(default=3, ge=1, le=100)
    asking_rate: float = Field(default=2.0, gt=0, le=1_000)
    asking_burst: int = Field(default=20, ge=1, le=1_000)
    """How fast one officer may ask: questions a second, and how many at once."""
    concurrency: int = Field(default=8, ge=1, le=100)
    """Requests in flight: after a kill, as many may come twice (and say so)."""
    room_origin: str = ""
    """Where browsers find the reading room, such as `https://room.agency.example`; empty: there is none."""
    room_listen: str = "127.0.0.1:8480"
    """Where the room itself listens, behind the agency's TLS proxy."""
    room_ceiling: Tlp = Tlp.RED
    """The highest marking that the room shows."""
    room_chat_ceiling: Tlp = Tlp.AMBER_STRICT
    """The same for who is known by the chat service's word alone."""
    room_node_name: str = "room"
    """The room's own name among the node's clients."""
    room_node_seed_file: Path | None = None
    """Its seed, where there is no `node_dir`."""
    room_address_header: str = ""
    """The header in which the proxy says who asks, such as `X-Real-IP`; empty: nobody does."""
    poll_seconds: int = Field(default=25, ge=0, le=50)
    webhook_url: str = ""
    """Where the chat service finds the bot, such as `https://bot.agency.example/updates`; empty: the bot asks
    the service, and nobody has to reach it.
    """
    webhook_listen: str = "127.0.0.1:8481"
    """Where the bot itself listens then, behind the agency's TLS proxy."""
    traces_url: str | None = Field(default=None, pattern=r"^https?://[^@\s]+$")
    """Where traces are sent, as `http://127.0.0.1:4318/v1/traces` (OTLP); none: there are none."""
    traces_ratio: float = Field(default=1.0, ge=0, le=1)
    """The share of bulletins that is traced."""
    log: Literal["auto", "json", "console"] = "auto"
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if self.stub_ceiling.rank < self.ceiling.rank:
            raise ValueError("stub_ceiling may not be lower than ceiling")
        if self.room_chat_ceiling.rank > self.room_ceiling.rank:
            raise ValueError("room_chat_ceiling may not be higher than room_ceiling")
        if self.token is not None and self.token_file is not None:
            raise ValueError("give token or token_file, not both")
        return self

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
        return (
            init_settings,
            env_settings,
            dotenv_settings,
            file_secret_settings,
            TomlConfigSettingsSource(settings_cls),
        )

    def release_ceiling(self) -> Ceiling:
        """The ceiling of the release gate."""
        return Ceiling(
            self.ceiling,
            self.stub_ceiling,
            self.room_origin.rstrip("/"),
            self.room_chat_ceiling,
            self.room_ceiling,
        )

    def rates(self) -> Rates:
        """The pace of delivery. The overall burst is a third of a second's worth: it makes up for what a busy
        machine held up, and more at once would meet the limit.
        """
        return Rates(
            overall=Rate(self.overall_rate, max(1.0, self.overall_rate / 3)),
            chat=Rate(self.chat_rate, float(self.chat_burst)),
        )

    def asking(self) -> Rate:
        """How fast one officer may ask."""
        return Rate(self.asking_rate, float(self.asking_burst))

    def ways(self) -> Ways:
        """How officers on duty are called."""
        return Ways(Pace(self.ring_minutes * 60, self.ring_calls), zone(self.zone))

    def secret_token(self) -> SecretStr:
        """The token, from the setting or its file. Raises OperationError `bad_settings`."""
        fix = "give --token-file or LIAISON_BOT_TOKEN_FILE a file with the bot's token"
        text = self.token.get_secret_value() if self.token else ""
        if self.token_file:
            try:
                text = self.token_file.read_text("ascii")[:_SECRET_MAX]
            except (OSError, UnicodeDecodeError) as error:
                why = error.strerror if isinstance(error, OSError) else "it is not plain text"
                raise OperationError(
                    Code.BAD_SETTINGS, f"the token file {self.token_file} cannot be read: {why}", fix
                ) from None
        if not text.strip():
            raise OperationError(Code.BAD_SETTINGS, "the bot has no token", fix)
        return SecretStr(text.strip())


def load(**given: Any) -> BotSettings:  # noqa: ANN401 - pydantic checks each
    """Settings with what is `given` on top. Raises OperationError `bad_settings` that names the fields,
    never values.
    """
    try:
        settings = BotSettings.model_validate(
            BotSettings(**{k: v for k, v in given.items() if v is not None})
        )
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(map(str, each['loc'])) or 'settings'}: {each['msg']}"
            for each in error.errors(include_input=False)
        )
        raise OperationError(Code.BAD_SETTINGS, wrong, "see LIAISON_BOT_* in the guide") from None
    try:
        zone(settings.zone)
    except OperationError as error:
        raise OperationError(Code.BAD_SETTINGS, "zone: no such time zone", error.fix) from None
    return settings
