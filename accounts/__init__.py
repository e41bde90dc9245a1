"""The custom User, roles, and sign-in."""
