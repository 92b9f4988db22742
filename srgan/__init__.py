"""Super-resolution by the adversarial game: networks, losses, data, training, evaluation."""
