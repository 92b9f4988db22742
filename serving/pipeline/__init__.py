"""What happens to a request between its bytes and its result, free of any transport."""
