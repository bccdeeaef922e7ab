"""A model server for KServe's Open Inference Protocol v2, standard library only.

It stands for yours: MLServer, Triton, TorchServe or another that speaks the protocol.
Proctor starts it in a jail of its own and asks it over 127.0.0.1.
"""
import json
from http.server import BaseHTTPRequestHandler, HTTPServer

with open("proctor-model.json", encoding="utf-8") as f:
    MANIFEST = json.load(f)
NAME, PORT, CLASSES = MANIFEST["model"], MANIFEST["port"], MANIFEST["classes"]

# What the server takes and gives. Inputs that are named as columns get those columns.
METADATA = {
    "name": NAME,
    "platform": "python",
    "inputs": [{"name": "x", "datatype": "FP64", "shape": [-1, 1]}, {"name": "tag", "datatype": "BYTES", "shape": [-1, 1]}],
    "outputs": [{"name": "probabilities", "datatype": "FP64", "shape": [-1, len(CLASSES)]}],
}


def predict(x, tag):
    """One list of probabilities a row, in the order of the manifest's classes."""
    return [[1 - v, v] for v in x]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.path == "/v2/health/ready":
            self.reply(200, {})
        elif self.path == "/v2/models/" + NAME:
            self.reply(200, METADATA)
        else:
            self.reply(404, {"error": "no such path"})

    def do_POST(self):
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path != "/v2/models/%s/infer" % NAME:
            return self.reply(404, {"error": "no such model"})
        data = {i["name"]: i["data"] for i in request["inputs"]}
        p = predict(data["x"], data["tag"])
        output = {"name": "probabilities", "datatype": "FP64", "shape": [len(p), len(CLASSES)], "data": sum(p, [])}
        self.reply(200, {"model_name": NAME, "id": request.get("id"), "outputs": [output]})

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
