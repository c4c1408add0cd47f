"""A TCP proxy between two services that can be told to lose, hold up and cut what goes through it."""

import asyncio
import random
import threading
from contextlib import suppress
from dataclasses import dataclass


@dataclass
class Weather:
    """What happens on the wire just now. ``delay`` and ``reply_delay`` in seconds, ``resets`` a share of requests."""

    cut: bool = False
    delay: float = 0.0
    reply_delay: float = 0.0
    drop_replies: int = 0
    resets: float = 0.0


class Proxy:
    """Listens on a port of its own and passes everything on to ``upstream``, as far as ``weather`` lets it."""

    def __init__(self, name: str, upstream: int, seed: int) -> None:
        self.name, self.weather = name, Weather()
        self._upstream, self._chance = upstream, random.Random(f"{seed} {name}")  # noqa: S311
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True, name=f"proxy-{name}").start()
        server = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)
        self.port: int = server.sockets[0].getsockname()[1]

    @property
    def url(self) -> str:
        """Where clients connect."""
        return f"http://127.0.0.1:{self.port}"

    def heal(self) -> None:
        """Fair weather."""
        self.weather = Weather()

    async def _listen(self) -> asyncio.Server:
        return await asyncio.start_server(self._connect, "127.0.0.1", 0)

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.weather.cut:
            writer.transport.abort()
            return
        try:
            back_reader, back_writer = await asyncio.open_connection("127.0.0.1", self._upstream)
        except OSError:
            writer.transport.abort()
            return
        there = asyncio.create_task(self._pump(reader, back_writer, self._request))
        back = asyncio.create_task(self._pump(back_reader, writer, self._reply))
        await asyncio.wait([there, back], return_when=asyncio.FIRST_COMPLETED)
        for end in (writer, back_writer):
            end.transport.abort()
        for task in (there, back):
            task.cancel()

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, rule) -> None:  # type: ignore[no-untyped-def]
        with suppress(OSError):
            while data := await source.read(65536):
                if not await rule():
                    return
                sink.write(data)
                await sink.drain()

    async def _request(self) -> bool:
        """Whether a request gets through."""
        await asyncio.sleep(self.weather.delay)
        return not (self.weather.cut or self._chance.random() < self.weather.resets)

    async def _reply(self) -> bool:
        """Whether a reply gets back."""
        await asyncio.sleep(self.weather.reply_delay)
        if self.weather.drop_replies > 0:
            self.weather.drop_replies -= 1
            return False
        return not self.weather.cut
