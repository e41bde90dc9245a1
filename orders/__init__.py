"""What is owed and to whom."""
