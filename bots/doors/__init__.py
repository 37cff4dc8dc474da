"""Front doors: each brings what an officer types and presses to the same handlers, and shows the answers."""
