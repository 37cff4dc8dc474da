"""How a bulletin is shown, and how much of it: the release gate and what stands behind it."""
