"""The bot's conversations: a router for each feature. Imports aiogram; only `run` does."""

from aiogram import Router

from bots.handlers import (
    acknowledging,
    alarming,
    digests,
    enquiries,
    enrolment,
    language,
    membership,
    subscribing,
    unknown,
)


def routers() -> list[Router]:
    """Fresh routers, in the order in which they are asked."""
    modules = (
        enrolment,
        alarming,
        membership,
        enquiries,
        acknowledging,
        subscribing,
        digests,
        language,
        unknown,
    )
    return [module.router() for module in modules]
