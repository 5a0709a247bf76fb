"""Identity tokens of a CI service, asked for in a process of its own."""
