"""Rows that are due: claim, lease, retry, sweep, wake. Knows nothing of what the rows mean."""
