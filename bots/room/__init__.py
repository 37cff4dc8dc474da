"""The reading room: the agency's own web page for what its ceiling keeps out of chat. Off unless it is set
up.

A process of its own (`liaison-bot room`) on the agency's side, behind the agency's TLS proxy: a client of the
node like the bot, with its own key there (decision 0035). It keeps nothing of a bulletin.
"""
