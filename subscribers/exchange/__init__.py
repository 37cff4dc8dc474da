"""To and from the hub: the connection, what goes out in order, what comes in, and an agency's first steps."""
