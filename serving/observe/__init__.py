"""What an operator sees of the server: metrics and logs. Neither holds any of a picture."""
