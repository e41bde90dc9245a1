"""What every list and page of the staff shares: it reads, finds, exports, and writes nothing."""
