#!/usr/bin/env python3
"""An HTTP server in Discord's place: holds every webhook message to Discord's limits and records it.

  webhook_server.py ADDRESS PORT [STATUS...]

Answers 204; or, one request after another, the STATUSes given (429 says Retry-After 0.2; `hang` never answers),
then 204.  One JSON object a line on stdout.
"""

import http.server
import json
import sys
import time

EMBEDS_MAX, EMBED_TEXT_MAX, FIELDS_MAX = 10, 6000, 25
TEXT_MAX = {"title": 256, "description": 4096}


def say(event, **fields):
    print(json.dumps({"event": event, "at": time.time(), **fields}), flush=True)


def faults(message):
    """What Discord would refuse about it."""
    found = []
    if not isinstance(message, dict):
        return ["not an object"]
    embeds = message.get("embeds", [])
    if not message.get("content") and not embeds:
        found.append("neither content nor embeds")
    if len(message.get("content") or "") > 2000:
        found.append("content over 2000 characters")
    if len(embeds) > EMBEDS_MAX:
        found.append("over 10 embeds")
    total = 0
    for embed in embeds:
        for key, limit in TEXT_MAX.items():
            text = embed.get(key, "")
            total += len(text)
            if len(text) > limit:
                found.append(f"{key} over {limit} characters")
        fields = embed.get("fields", [])
        if len(fields) > FIELDS_MAX:
            found.append("over 25 fields")
        for field in fields:
            total += len(field.get("name", "")) + len(field.get("value", ""))
            if not 1 <= len(field.get("name", "")) <= 256 or not 1 <= len(field.get("value", "")) <= 1024:
                found.append(f"field {field} outside its limits")
        total += len(embed.get("footer", {}).get("text", ""))
    if total > EMBED_TEXT_MAX:
        found.append("over 6000 characters in all embeds")
    if message.get("allowed_mentions", {}).get("parse") != []:
        found.append("mentions are not switched off")
    return found


class Discord(http.server.BaseHTTPRequestHandler):
    script = []

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        try:
            message = json.loads(body)
            wrong = faults(message)
        except json.JSONDecodeError as error:
            message, wrong = None, [str(error)]
        status = self.script.pop(0) if self.script else "204"
        say("message", path=self.path.split("?")[0], faults=wrong, message=message, answered=status)
        if status == "hang":
            time.sleep(120)
            return
        self.send_response(int(status) if not wrong else 400)
        if status == "429":
            self.send_header("Retry-After", "0.2")
            self.send_header("X-RateLimit-Scope", "user")
        body = json.dumps({"message": "rate limited", "retry_after": 0.2, "global": False}).encode() if status == "429" else b""
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def main():
    Discord.script = sys.argv[3:]
    server = http.server.ThreadingHTTPServer((sys.argv[1], int(sys.argv[2])), Discord)
    say("listening", port=int(sys.argv[2]))
    server.serve_forever()


if __name__ == "__main__":
    main()
