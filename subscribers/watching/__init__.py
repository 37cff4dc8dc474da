"""How the node is, for those who watch many machines: facts, their text, and where it is asked for."""
