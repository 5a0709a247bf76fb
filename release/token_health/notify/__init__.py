"""Channels to people: each delivers one message, or raises what kept it from that."""
