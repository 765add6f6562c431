"""A webhook and an RCON server that misbehave on demand, on loopback, in threads of the test itself.

What a server does is its `manner`; it may change at any time, and connections that wait see it.
"""

import json
import socket
import struct
import threading
import time

TICK_S = 0.05


def reset(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


class Server:
    """Accepts connections and serves each in a thread; may be closed and opened again."""

    def __init__(self, port):
        self.port = port
        self.manner = "well"
        self.listener = None
        self.ending = False
        self.connections = set()
        self.open()

    def open(self):
        self.listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, args=(self.listener,), daemon=True).start()

    def close(self):
        """From now on who connects is refused, and who was connected is not any more."""
        if self.listener:
            self.listener.shutdown(socket.SHUT_RDWR)
            self.listener.close()
            self.listener = None
        self.hang_up()

    def hang_up(self):
        for connection in list(self.connections):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def end(self):
        self.ending = True
        self.close()

    def _accept(self, listener):
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            self.connections.add(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        try:
            self.serve(connection)
        except OSError:
            pass
        finally:
            self.connections.discard(connection)
            connection.close()

    def wait_while(self, manner, seconds):
        """Until it behaves otherwise, or so long."""
        until = time.time() + seconds
        while self.manner == manner and time.time() < until and not self.ending:
            time.sleep(TICK_S)


class Webhook(Server):
    """Discord's place.  Manners: well, hangs, trickles, resets, or a status."""

    HANGS_S = 60

    def __init__(self, port):
        self.messages = []  # (answer, JSON)
        super().__init__(port)

    def serve(self, connection):
        with connection.makefile("rb") as lines:
            while head := lines.readline():
                size = 0
                while (line := lines.readline().strip()):
                    if line.lower().startswith(b"content-length:"):
                        size = int(line.split(b":")[1])
                body = json.loads(lines.read(size))
                manner = self.manner
                self.messages.append((manner, body))
                if not self.answer(connection, manner):
                    return
                del head

    def answer(self, connection, manner):
        if manner == "hangs":
            self.wait_while(manner, self.HANGS_S)
            return False
        if manner == "resets":
            reset(connection)
            return False
        status = {"well": 204, "trickles": 204}.get(manner, manner)
        body = b""
        headers = ""
        if status == 429:
            body = json.dumps({"message": "slow down", "retry_after": 0.5, "global": False}).encode()
            headers = "Retry-After: 1\r\n"
        answer = f"HTTP/1.1 {status} Whatever\r\n{headers}Content-Length: {len(body)}\r\n\r\n".encode() + body
        if manner != "trickles":
            connection.sendall(answer)
            return True
        for byte in answer:
            connection.sendall(bytes([byte]))
            until = time.time() + 1
            while time.time() < until and self.manner == manner:
                time.sleep(TICK_S)
        return True


class Rcon(Server):
    """A game server's.  Manners: well, mute, hangs_up (in the middle of a reply).  Its password may change."""

    LOGIN, COMMAND, REPLY = 3, 2, 0

    def __init__(self, port, password):
        self.password = password
        self.commands = []
        self.logins = []  # Whether each was let in.
        super().__init__(port)

    @staticmethod
    def packet(number, kind, text):
        body = struct.pack("<ii", number, kind) + text.encode() + b"\0\0"
        return struct.pack("<i", len(body)) + body

    def serve(self, connection):
        known = False
        while data := connection.recv(1460):
            length, number, kind = struct.unpack_from("<iii", data)
            if length != len(data) - 4:
                return
            text = data[12:-2].decode("utf-8", "replace")
            if kind == self.LOGIN:
                known = text == self.password
                self.logins.append(known)
                connection.sendall(self.packet(number if known else -1, self.COMMAND, ""))
            elif not known:
                connection.sendall(self.packet(-1, self.COMMAND, ""))
            elif not self.reply(connection, number, text):
                return

    def reply(self, connection, number, text):
        self.commands.append(text)
        answer = self.packet(number, self.REPLY, "Kicked " + text.split(" ")[1])
        if self.manner == "mute":
            return True
        if self.manner == "hangs_up":
            connection.sendall(answer[:len(answer) // 2])
            return False
        connection.sendall(answer)
        return True
