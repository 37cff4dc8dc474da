"""What the agency's own clients may ask of the node: verbs, requests, roles, and the answers."""
