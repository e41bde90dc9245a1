"""What happened, for ever; who is acting and in which request; redaction."""
