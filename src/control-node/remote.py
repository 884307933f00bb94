"""Runs one command, or relays connections, for a process at the other end of standard input and output.

Both are streams of frames: a kind (one byte), a channel and a length (four bytes each, big endian), and so many bytes.
frames.ts has the same; whoever changes one changes both. Of each channel only so much is on its way as the other side
has room for: DATA takes from a window of WINDOW bytes, which ROOM gives back once they have been taken.

The first frame says what to do. BEGIN runs a command and ends everything that it started when it ends, when a SIGNAL
comes, or when standard input does: as host/supervise.py, whose ways these are. LISTEN opens a port of 127.0.0.1, whose
connections the other side makes at its end.
"""

import asyncio
import ctypes
import json
import os
import signal
import socket
import struct

BEGIN, DATA, END, RESET, ROOM, EXIT, SIGNAL, LISTEN, OPEN = b"BDERWXSLO"
HEADER = struct.Struct("!BII")
WINDOW = 256 * 1024
CHUNK = 64 * 1024
STDIN, STDOUT, STDERR, EVENTS = range(4)
FIRST_CONNECTION = 16

PR_SET_CHILD_SUBREAPER = 36
# Less than that of the supervisor on the host, which ends the other side of the stream.
GRACE_SECONDS = 0.7


class Frames:
    """The stream of frames, and the channels in it."""

    def __init__(self, reader, writer):
        self.reader = reader
        self.writer = writer
        self.channels = {}
        self.writing = asyncio.Lock()

    async def send(self, kind, channel, payload=b""):
        async with self.writing:
            self.writer.write(HEADER.pack(kind, channel, len(payload)) + payload)
            await self.writer.drain()

    async def receive(self):
        """The next frame that is not a channel's; None at the end of the stream."""
        while True:
            try:
                kind, number, length = HEADER.unpack(await self.reader.readexactly(HEADER.size))
                payload = await self.reader.readexactly(length)
            except (asyncio.IncompleteReadError, OSError):
                return None
            if kind not in (DATA, END, RESET, ROOM):
                return kind, number, payload
            channel = self.channels.get(number)
            # Of one that has ended a word may be on its way.
            if channel:
                channel.hear(kind, payload)

    def channel(self, number):
        self.channels[number] = Channel(self, number)
        return self.channels[number]


class Channel:
    """One stream of bytes each way."""

    def __init__(self, frames, number):
        self.frames = frames
        self.number = number
        self.window = WINDOW
        self.room = asyncio.Event()
        self.room.set()
        self.heard = asyncio.Queue()
        self.when_reset = lambda: None

    def hear(self, kind, payload):
        if kind == DATA:
            self.heard.put_nowait(payload)
        elif kind == END:
            self.heard.put_nowait(None)
        elif kind == ROOM:
            self.window += int.from_bytes(payload, "big")
            self.room.set()
        else:
            self.when_reset()

    async def send_all(self, reader):
        """Sends what `reader` gives, and that it has ended."""
        while True:
            await self.room.wait()
            data = await reader.read(min(CHUNK, self.window))
            if not data:
                break
            self.window -= len(data)
            if self.window == 0:
                self.room.clear()
            await self.frames.send(DATA, self.number, data)
        await self.frames.send(END, self.number)

    async def write_all(self, writer):
        """Writes what the other side sends into `writer`, and its end."""
        while True:
            data = await self.heard.get()
            if data is None:
                break
            writer.write(data)
            await writer.drain()
            await self.frames.send(ROOM, self.number, len(data).to_bytes(4, "big"))
        if writer.can_write_eof():
            writer.write_eof()
        else:
            writer.close()

    def close(self):
        self.frames.channels.pop(self.number, None)


async def reading(fd):
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=CHUNK)
    transport, _ = await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(fd, "rb", 0)
    )
    return reader, transport


async def writing(fd):
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.connect_write_pipe(
        asyncio.streams.FlowControlMixin, os.fdopen(fd, "wb", 0)
    )
    # To drain is to have it written, and not only to have room for more.
    transport.set_write_buffer_limits(high=0)
    return asyncio.StreamWriter(transport, protocol, None, loop)


class Relay:
    """Accepts connections to ports of 127.0.0.1 here, and has them made at the other end."""

    def __init__(self, frames):
        self.frames = frames
        self.servers = {}
        self.next = FIRST_CONNECTION

    async def listen(self, port):
        """Answers with why it cannot be, which is nothing where it can."""
        why = ""
        if port not in self.servers:
            try:
                self.servers[port] = await asyncio.start_server(
                    lambda reader, writer: self.connected(port, reader, writer), "127.0.0.1", port
                )
            except OSError as error:
                why = str(error)
        await self.frames.send(LISTEN, port, why.encode())

    async def connected(self, port, reader, writer):
        self.next += 1
        channel = self.frames.channel(self.next)
        await self.frames.send(OPEN, channel.number, port.to_bytes(4, "big"))
        both = [asyncio.ensure_future(way) for way in (channel.send_all(reader), channel.write_all(writer))]
        channel.when_reset = lambda: [way.cancel() for way in both]
        try:
            await asyncio.gather(*both)
            writer.close()
        except asyncio.CancelledError:
            # As it broke off there: not as an end.
            linger = struct.pack("ii", 1, 0)
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            writer.transport.abort()
        except OSError:
            channel.when_reset()
            writer.transport.abort()
            await self.frames.send(RESET, channel.number)
        finally:
            channel.close()


def children_of(pid):
    found = []
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/children", encoding="ascii") as file:
                found += [int(child) for child in file.read().split()]
    except OSError:
        pass
    return found


def send_signal(signum):
    pending = children_of(os.getpid())
    while pending:
        pid = pending.pop()
        pending += children_of(pid)
        try:
            os.kill(pid, signum)
        except ProcessLookupError:
            pass


class Command:
    """The command, and what it has started."""

    def __init__(self, order, frames):
        self.order = order
        self.frames = frames
        self.exited = asyncio.get_running_loop().create_future()
        self.ending = None

    def start(self):
        """Gives this side of its pipes: [stdin, stdout, stderr] and that of its events, if any."""
        wanted = [STDIN, STDOUT, STDERR] + ([EVENTS] if self.order["events"] else [])
        pipes = {number: os.pipe() for number in wanted}
        asyncio.get_running_loop().add_signal_handler(signal.SIGCHLD, self.reap)
        self.pid = os.fork()
        if self.pid == 0:
            self.execute(pipes)
        kept = {}
        for number, (read, write) in pipes.items():
            kept[number], other = (write, read) if number == STDIN else (read, write)
            os.close(other)
        return kept

    def execute(self, pipes):
        for name in (signal.SIGCHLD, signal.SIGPIPE, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(name, signal.SIG_DFL)
        signal.set_wakeup_fd(-1)
        try:
            # Out of the way first: a pipe's end may have the number of another one's place.
            ends = {n: os.dup(read if n == STDIN else write) for n, (read, write) in pipes.items()}
            ends = {n: self.above(end) for n, end in ends.items()}
            for number, end in ends.items():
                os.dup2(end, self.order["events"] if number == EVENTS else number)
            os.umask(self.order["umask"])
            os.chdir(self.order["cwd"])
            file, env = self.order["args"][0], {**os.environ, **self.order["env"]}
            os.execvpe(file, self.order["args"], env)
        except OSError as error:
            os.write(2, f"{self.order['args'][0]}: {error.strerror}\n".encode())
        finally:
            os._exit(127)

    @staticmethod
    def above(fd):
        while fd < 10:
            fd = os.dup(fd)
        return fd

    def reap(self):
        """Collects ended children; returns False once there is none left."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return False
            if pid == 0:
                return True
            if pid == self.pid and not self.exited.done():
                code = os.waitstatus_to_exitcode(status)
                self.exited.set_result(code if code >= 0 else 128 - code)

    async def end_all(self, grace):
        if grace:
            send_signal(signal.SIGTERM)
            for _ in range(int(GRACE_SECONDS / 0.02)):
                if not self.reap():
                    return
                await asyncio.sleep(0.02)
        while self.reap():
            send_signal(signal.SIGKILL)
            await asyncio.sleep(0.01)

    async def obey(self):
        """Ends what there is when a signal comes, or when the other side is gone."""
        while True:
            frame = await self.frames.receive()
            if frame is None:
                await self.end_all(grace=False)
                os._exit(1)
            if frame[0] == SIGNAL and self.ending is None:
                self.ending = asyncio.ensure_future(self.end_all(grace=True))

    async def run(self):
        pipes = self.start()
        stdin = self.frames.channel(STDIN)
        loop = asyncio.get_running_loop()
        # They end with this process.
        self.others = [loop.create_task(self.obey())]
        self.others.append(loop.create_task(self.feed(stdin, await writing(pipes.pop(STDIN)))))
        outputs = [loop.create_task(self.tell(n, await reading(fd))) for n, fd in pipes.items()]
        code = await self.exited
        await (self.ending or self.end_all(grace=True))
        # Nobody is left who could write, so this is only what is on its way.
        await asyncio.gather(*outputs)
        await self.frames.send(EXIT, 0, code.to_bytes(4, "big"))

    async def feed(self, channel, writer):
        try:
            await channel.write_all(writer)
        except OSError:
            # Who does not read to the end needs no more.
            await self.frames.send(RESET, STDIN)

    async def tell(self, number, pipe):
        reader, transport = pipe
        channel = self.frames.channel(number)
        sending = asyncio.ensure_future(channel.send_all(reader))
        # Nobody reads it any more at the other end: let the command know as a pipe does.
        channel.when_reset = lambda: (sending.cancel(), transport.close())
        try:
            await sending
        except asyncio.CancelledError:
            pass


async def main():
    reader, _ = await reading(os.dup(0))
    frames = Frames(reader, await writing(os.dup(1)))
    relay = Relay(frames)
    while True:
        frame = await frames.receive()
        if frame is None:
            os._exit(0)
        kind, number, payload = frame
        if kind == LISTEN:
            await relay.listen(number)
        elif kind == BEGIN:
            # As their subreaper this process inherits what processes leave behind.
            ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
            await Command(json.loads(payload), frames).run()
            os._exit(0)


asyncio.run(main())
