#!/usr/bin/env python3
"""A server that reads each connection to its end and says what it read: one JSON object a connection.

  stream_reader.py PORT
"""

import hashlib
import json
import selectors
import socket
import sys


def main():
    listener = socket.create_server(("", int(sys.argv[1])), backlog=1024)
    listener.setblocking(False)
    ready = selectors.DefaultSelector()
    ready.register(listener, selectors.EVENT_READ)
    read = {}
    print(json.dumps({"event": "listening"}), flush=True)
    while True:
        for key, _ in ready.select():
            if key.fileobj is listener:
                peer, address = listener.accept()
                peer.setblocking(False)
                read[peer] = (address[1], hashlib.sha256(), [0])
                ready.register(peer, selectors.EVENT_READ)
                continue
            port, digest, size = read[key.fileobj]
            try:
                data = key.fileobj.recv(65536)
                end = "end" if not data else ""
            except OSError as error:
                data, end = b"", type(error).__name__
            digest.update(data)
            size[0] += len(data)
            if end:
                print(json.dumps({"event": "read", "port": port, "bytes": size[0], "end": end,
                                  "sha256": digest.hexdigest()}), flush=True)
                ready.unregister(key.fileobj)
                key.fileobj.close()
                del read[key.fileobj]


if __name__ == "__main__":
    main()
