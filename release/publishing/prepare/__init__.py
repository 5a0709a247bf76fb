"""Prepare a release: collect what it changes, and change it so that a failure undoes everything."""
