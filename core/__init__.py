"""The generic adversarial game: losses, phases, the training loop, and the 2014 paper."""
