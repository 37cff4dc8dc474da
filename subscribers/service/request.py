"""What every request of the node's service has in common: pure."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

Word = Annotated[str, StringConstraints(min_length=1, max_length=64)]


class Request(BaseModel):
    """A request: exactly the named fields."""

    model_config = ConfigDict(extra="forbid", frozen=True)
