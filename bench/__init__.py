"""Measures the throughput of the product and its costs, over HTTP and SQL only."""
