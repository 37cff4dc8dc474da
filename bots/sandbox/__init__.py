"""A Bot API server on loopback with a web page to chat in: for newcomers without a token, and for tests."""
