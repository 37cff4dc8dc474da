"""How a thing is said: languages, the words of the closed lists, and markup."""
