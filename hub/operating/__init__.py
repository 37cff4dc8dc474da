"""Looking after a hub: what is measured, what is told, what is written down, and what is wrong with it."""
