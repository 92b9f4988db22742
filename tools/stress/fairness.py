"""A thumbnail does not wait for a poster."""

import threading
from dataclasses import dataclass

from serving.client import UpscalerClient
from serving.stop import Stop, Stopped
from tools.stress.figures import Figure, percentile
from tools.stress.load import ONCE, picture, upscaled
from tools.stress.process import ServerProcess

__all__ = ["Fairness"]


@dataclass(frozen=True)
class Fairness:
    """The time of a 64x64 picture alone, and while a large one is upscaled.

    Attributes:
        megapixels: of the large one.
        calls: of the small one, in each case.
    """

    megapixels: float = 25.0
    calls: int = 100

    def run(self) -> list[Figure]:
        """Return both times at p99 and their ratio."""
        small = picture(64, 64)
        large = picture(6144, round(self.megapixels * 1e6 / 6144))
        stop = Stop()
        begun = threading.Event()

        def poster(address: str) -> None:
            try:
                with UpscalerClient(address, ONCE) as client:
                    while True:
                        client.upscale(large, stop=stop, progress=lambda *_: begun.set())
            except Stopped:
                pass

        with (
            ServerProcess("--log-level", "error") as server,
            UpscalerClient(server.address, ONCE) as client,
        ):
            for _ in range(10):
                upscaled(client, small)
            alone = [upscaled(client, small).seconds for _ in range(self.calls)]
            thread = threading.Thread(target=poster, args=[server.address])
            thread.start()
            begun.wait()
            beside = [upscaled(client, small) for _ in range(self.calls)]
            stop.set()
            thread.join()
        ratio = percentile([call.seconds for call in beside], 99) / percentile(alone, 99)
        return [
            Figure("64x64 alone, ms at p50", 1e3 * percentile(alone, 50)),
            Figure("64x64 alone, ms at p99", 1e3 * percentile(alone, 99)),
            Figure(
                "beside the large one, ms at p50",
                1e3 * percentile([call.seconds for call in beside], 50),
            ),
            Figure(
                "beside the large one, ms at p99",
                1e3 * percentile([call.seconds for call in beside], 99),
            ),
            Figure("ratio at p99", ratio, most=5),
            Figure("failures", sum(call.failure is not None for call in beside), most=0),
        ]
