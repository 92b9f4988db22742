"""Calls the service from Python, with threads or with asyncio."""

from serving.client.asynchronous import AsyncUpscalerClient
from serving.client.connection import ClientTls
from serving.client.failure import UpscaleFailed
from serving.client.retry import RetryPolicy
from serving.client.sync import UpscalerClient

__all__ = ["AsyncUpscalerClient", "ClientTls", "RetryPolicy", "UpscaleFailed", "UpscalerClient"]
