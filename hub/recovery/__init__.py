"""Copies of the hub's state: made, put back, and taken up again by those who follow it."""
