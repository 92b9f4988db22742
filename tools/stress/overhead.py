"""What the service costs on top of the engine."""

from contextlib import closing
from dataclasses import dataclass

from serving.catalog import Catalog
from serving.client import UpscalerClient
from serving.pipeline.upscaler import Options, Upscaler
from serving.processor import available_processors
from tools.stress.figures import Figure
from tools.stress.load import ONCE, picture
from tools.stress.process import ServerProcess
from tools.stress.turns import seconds_in_turns

__all__ = ["Overhead"]


@dataclass(frozen=True)
class Overhead:
    """The same pictures through the engine in this process and through a server, in turns.

    Attributes:
        side: of the square pictures.
        pictures: of each turn.
        turns: of each.
        callers: at the same time.
    """

    side: int = 512
    pictures: int = 12
    turns: int = 5
    callers: int = 4

    def run(self) -> list[Figure]:
        """Return both throughputs and their ratio."""
        image = picture(self.side, self.side)
        with (
            ServerProcess("--log-level", "error") as server,
            UpscalerClient(server.address, ONCE) as client,
            closing(Upscaler(Catalog(), available_processors())) as engine,
        ):

            def directly(_: int) -> int:
                return sum(map(len, engine.upscale(image, Options()).chunks()))

            def through_the_service(_: int) -> int:
                return len(client.upscale(image).image)

            ways = {"engine": directly, "service": through_the_service}
            taken = seconds_in_turns(ways, self.pictures, self.turns, self.callers)
        engine_s, service_s = taken["engine"], taken["service"]
        return [
            Figure("engine, pictures a second", self.pictures / engine_s),
            Figure("service, pictures a second", self.pictures / service_s),
            Figure("ratio", engine_s / service_s, least=0.9),
        ]
