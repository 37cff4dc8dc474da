"""Copies of a node's state: made, put back, mended, and taken up again at the hub."""
