"""How fast is it, and where does the time go? Talks to the product over HTTP and SQL alone."""
