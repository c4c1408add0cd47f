"""A products instance to balance: eight requests at a time, each of its own length; others wait.

python -m bench.instance PORT NAME EXTRA_SECONDS
"""

import asyncio
import random
import sys

SLOTS = 8
# Seconds of work: at least 5 ms, 20 ms on average.
LEAST, MEAN_MORE = 0.005, 0.015


async def serve(port: int, name: str, extra: float) -> None:
    """Answers forever; each request takes `extra` seconds more."""
    slots = asyncio.Semaphore(SLOTS)
    lengths = random.Random(name)  # noqa: S311 - the same lengths in each run
    head = f"HTTP/1.1 200 OK\r\nX-Served-By: {name}\r\nContent-Length: 2\r\n\r\n{{}}".encode()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                await reader.readuntil(b"\r\n\r\n")
                async with slots:
                    await asyncio.sleep(extra + LEAST + lengths.expovariate(1 / MEAN_MORE))
                writer.write(head)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", port, backlog=1024)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), sys.argv[2], float(sys.argv[3])))
