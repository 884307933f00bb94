"""Serves on a network of Pis: in a network namespace of its own it joins a tap to a port of the network's switch, by
QEMU's framing (https://www.qemu.org/docs/master/system/invocation.html, -netdev stream), and runs a server beside it.

    dhcp.py SOCKET MAC ADDRESS/PREFIX SERVER [ARGUMENT ...]

It ends with the server, or as soon as the switch has ended the link.
"""

import fcntl
import os
import socket
import struct
import subprocess
import sys
import threading

INTERFACE = 'lab0'
# https://docs.kernel.org/networking/tuntap.html
TUNSETIFF = 0x400454CA
IFF_TAP = 0x0002
IFF_NO_PI = 0x1000
LONGEST_FRAME = 9216 + 18


def open_tap():
    tap = os.open('/dev/net/tun', os.O_RDWR)
    fcntl.ioctl(tap, TUNSETIFF, struct.pack('16sH22x', INTERFACE.encode(), IFF_TAP | IFF_NO_PI))
    return tap


def receive(port, count):
    chunks = b''
    while len(chunks) < count:
        chunk = port.recv(count - len(chunks))
        if not chunk:
            # The network is gone, and with it all there is to serve.
            os._exit(0)
        chunks += chunk
    return chunks


def from_switch(port, tap):
    while True:
        (length,) = struct.unpack('>I', receive(port, 4))
        frame = receive(port, length)
        try:
            os.write(tap, frame)
        except OSError:
            # The kernel takes no frame that is longer than the interface's.
            pass


def to_switch(port, tap):
    while True:
        frame = os.read(tap, LONGEST_FRAME)
        port.sendall(struct.pack('>I', len(frame)) + frame)


def main(path, mac, address, server):
    port = socket.socket(socket.AF_UNIX)
    port.connect(path)
    tap = open_tap()
    for words in (
        ['link', 'set', INTERFACE, 'address', mac],
        # Nobody is to hear of it that has not asked.
        ['link', 'set', INTERFACE, 'addrgenmode', 'none'],
        ['address', 'add', address, 'dev', INTERFACE],
        ['link', 'set', INTERFACE, 'up'],
    ):
        subprocess.run(['ip', *words], check=True)
    for work in (from_switch, to_switch):
        threading.Thread(target=work, args=(port, tap), daemon=True).start()
    sys.exit(subprocess.call(server))


try:
    main(sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:])
except OSError as error:
    sys.exit(f'{error.filename or "the network"}: {error.strerror}')
except subprocess.CalledProcessError as error:
    sys.exit(f'{" ".join(error.cmd)} failed')
