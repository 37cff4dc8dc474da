"""Codes by chance."""

import secrets

import uuid_utils


def new_code() -> str:
    """An invitation: 192 bits of chance, in 32 of the characters that a start link may carry."""
    return secrets.token_urlsafe(24)


def new_key() -> str:
    """256 bits of chance, in 43 of the same characters."""
    return secrets.token_urlsafe(32)


def new_id() -> str:
    """A UUIDv7."""
    return str(uuid_utils.uuid7())
