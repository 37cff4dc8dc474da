"""How a typed line or a pressed button gets to whom answers it, and the screens that all share."""
