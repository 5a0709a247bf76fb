"""The record of a release in other forms: for a browser, a forge, a CI system. Each writer is pure, record → text."""
