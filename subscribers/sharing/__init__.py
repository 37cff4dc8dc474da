"""Sharing further: old keys for late joiners, and bulletins that go on to other communities."""
