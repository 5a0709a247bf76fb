"""GitHub: releases and secrets."""
