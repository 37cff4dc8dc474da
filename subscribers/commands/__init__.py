"""The commands of `liaison-agency`, one module for each kind of user."""
