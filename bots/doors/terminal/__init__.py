"""The terminal as a front door: within the agency, with one officer, who sits before it."""
