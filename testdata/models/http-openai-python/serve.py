"""A text model that speaks as OpenAI's API does, standard library only.

It stands for yours: vLLM, llama.cpp, Ollama or another that serves /v1/chat/completions.
Proctor starts it in a jail of its own and asks it over 127.0.0.1, one row a request, with
temperature 0. What it answers is held against the manifest's "answers".
"""
import json
import re
from http.server import BaseHTTPRequestHandler, HTTPServer

with open("proctor-model.json", encoding="utf-8") as f:
    MANIFEST = json.load(f)
NAME, PORT = MANIFEST["model"], MANIFEST["port"]


def complete(text):
    """The text that follows. This one finds the number in the question."""
    found = re.search(r"score of ([0-9.]+)", text)
    return "Yes." if found and float(found.group(1)) > 0.5 else "No."


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.path == "/v1/models":
            self.reply(200, {"object": "list", "data": [{"id": NAME, "object": "model"}]})
        else:
            self.reply(404, {"error": {"message": "no such path"}})

    def do_POST(self):
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path != "/v1/chat/completions" or request["model"] != NAME:
            return self.reply(404, {"error": {"message": "no such model"}})
        content = complete(request["messages"][-1]["content"])
        choice = {"index": 0, "message": {"role": "assistant", "content": content}, "finish_reason": "stop"}
        self.reply(200, {"object": "chat.completion", "model": NAME, "system_fingerprint": "rule-1", "choices": [choice]})

    def reply(self, status, document):
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


class Server(HTTPServer):
    def server_bind(self):  # without asking for the machine's name, which the jail has not
        self.socket.bind(self.server_address)
        self.server_name, self.server_port = self.server_address


Server(("127.0.0.1", PORT), Handler).serve_forever()
