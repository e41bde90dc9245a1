"""The local stack: real servers, secrets and processes on one machine, for people and for tests.

Nothing of the product imports this package and it imports nothing of the product. In production
none of it exists: there the operator brings PostgreSQL, Redis and a process manager.
"""
