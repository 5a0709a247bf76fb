"""GitHub: releases and the secrets of Actions."""
