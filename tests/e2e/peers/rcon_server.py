#!/usr/bin/env python3
"""A Source RCON server as Minecraft's, written from the protocol's description, that records what it is told.

  rcon_server.py ADDRESS PORT PASSWORD

Little-endian packets: i32 length of the rest, i32 id, i32 type, text, two zero bytes.  Type 3 logs in and is
answered with type 2 and the same id, or id -1; type 2 is a command, answered with type 0 in pieces of at most
4096 bytes.  Like the game it reads one packet a recv(), so a client that sends two at once loses one.
One JSON object a line on stdout: what was asked, by whom, and what was answered.
"""

import json
import socket
import struct
import sys
import threading
import time

LOGIN, COMMAND, REPLY = 3, 2, 0
REPLY_MAX = 4096


def say(event, **fields):
    print(json.dumps({"event": event, "at": time.time(), **fields}), flush=True)


def packet(number, kind, text):
    body = struct.pack("<ii", number, kind) + text.encode() + b"\0\0"
    return struct.pack("<i", len(body)) + body


def answer(command):
    words = command.split(" ", 2)
    if words[0] == "kick" and len(words) > 1:
        return f"Kicked {words[1]}: {words[2] if len(words) > 2 else 'Kicked by an operator'}"
    if words[0] == "list":
        return "There are 0 of a max of 20 players online: "
    return f"Unknown or incomplete command, see below for error{command}<--[HERE]"


def serve(connection, peer, password):
    known = False
    while True:
        data = connection.recv(1460)
        if len(data) < 14:
            break
        length, number, kind = struct.unpack_from("<iii", data)
        if length != len(data) - 4 or length > 1456:
            say("bad_packet", length=length, received=len(data))
            break
        text = data[12:-2].decode("utf-8", "replace")
        if kind == LOGIN:
            known = text == password
            say("login", accepted=known)
            connection.sendall(packet(number if known else -1, COMMAND, ""))
        elif kind == COMMAND and not known:
            connection.sendall(packet(-1, COMMAND, ""))
        elif kind == COMMAND:
            reply = answer(text)
            say("command", text=text, reply=reply)
            for at in range(0, max(len(reply), 1), REPLY_MAX):
                connection.sendall(packet(number, REPLY, reply[at:at + REPLY_MAX]))
        else:
            connection.sendall(packet(number, REPLY, f"Unknown request {kind:x}"))
    connection.close()
    say("closed", peer=peer[0])


def main():
    address, port, password = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    listener = socket.create_server((address, port))
    say("listening", port=port)
    while True:
        connection, peer = listener.accept()
        threading.Thread(target=serve, args=(connection, peer, password), daemon=True).start()


if __name__ == "__main__":
    main()
