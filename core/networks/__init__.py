"""Generators and discriminators for the generic game."""
