"""The service's face on the network: messages, status codes and the handlers of each call."""
