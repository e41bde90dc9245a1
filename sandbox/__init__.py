"""The payment gateways emulated on this machine, each with its real wire protocol.

Runs as a process of its own (``python -m sandbox``), shares no code with the product and never runs
in production. ``README.md`` beside this file says how it is built and how to add a gateway.
"""
