"""Numbers, as a picture and as text."""
