"""Tells people what happened, once each."""
