"""The APIs of an index: project pages, JSON, provenance, and uploads that test a token."""
