"""Rules: pure functions from facts to findings."""
