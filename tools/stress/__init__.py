"""Proofs that the service holds under stress: ``python -m tools.stress PROOF``.

Each starts servers of its own on the loopback interface, is bounded in count and time, prints its
figures beside what is promised, and ends with exit code 1 where one is not kept.
"""
