"""Calls the service from Python, with threads or with asyncio."""

from serving.client.asynchronous import AsyncUpscalerClient
from serving.client.failure import UpscaleFailed
from serving.client.retry import RetryPolicy
from serving.client.sync import UpscalerClient

__all__ = ["AsyncUpscalerClient", "RetryPolicy", "UpscaleFailed", "UpscalerClient"]
