"""Bulletins written in conversation: what is asked, who may release, what readers will see."""
