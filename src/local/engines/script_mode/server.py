"""Serves a user's module the way AWS's framework containers do: model_fn, input_fn, predict_fn, output_fn.

Needs the Python standard library only; numpy is used where it is installed.
Arguments: the folder of the user's code, and the name of the program in it.
"""

import importlib.util
import inspect
import io
import json
import os
import subprocess
import sys
import threading
import traceback
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

try:
    import numpy
except ImportError:
    numpy = None

JSON, CSV, NPY = "application/json", "text/csv", "application/x-npy"
ANY = ("", "*/*")


class Refused(Exception):
    """An answer other than 200."""

    def __init__(self, status, message):
        super().__init__(message)
        self.status = status


def media_type(header):
    return (header or "").split(";")[0].strip().lower()


def number(text):
    try:
        return float(text)
    except ValueError:
        return text


def default_input_fn(body, content_type):
    kind = media_type(content_type)
    if kind == JSON:
        value = json.loads(body)
        return numpy.array(value) if numpy and isinstance(value, list) else value
    if kind == CSV:
        text = body.decode("utf-8")
        if numpy:
            return numpy.genfromtxt(io.StringIO(text), delimiter=",")
        return [[number(cell) for cell in line.split(",")] for line in text.splitlines() if line]
    if kind == NPY and numpy:
        return numpy.load(io.BytesIO(body), allow_pickle=False)
    raise Refused(415, "Content type %s is not supported by this framework." % content_type)


def default_predict_fn(data, model):
    return model.predict(data)


def default_output_fn(prediction, accept):
    kind = media_type(accept)
    plain = prediction.tolist() if hasattr(prediction, "tolist") else prediction
    if kind == JSON:
        return json.dumps(plain), JSON
    if kind == CSV:
        rows = plain if isinstance(plain, (list, tuple)) else [plain]
        cells = [row if isinstance(row, (list, tuple)) else [row] for row in rows]
        return "\n".join(",".join(map(str, row)) for row in cells) + "\n", CSV
    if kind == NPY and numpy:
        buffer = io.BytesIO()
        numpy.save(buffer, numpy.asarray(prediction))
        return buffer.getvalue(), NPY
    raise Refused(406, "Content type %s is not supported by this framework." % accept)


def fitting(function, arguments):
    """The arguments without the last one, a context, if the function does not take it."""
    try:
        inspect.signature(function).bind(*arguments)
        return arguments
    except TypeError:
        return arguments[:-1]


def call(function, *arguments):
    return function(*fitting(function, arguments + (None,)))


class Handlers:
    def __init__(self, module, model_dir):
        model_fn = getattr(module, "model_fn", None)
        if model_fn is None:
            raise SystemExit("%s defines no model_fn(model_dir)" % module.__file__)
        self.transform = getattr(module, "transform_fn", None)
        self.read = getattr(module, "input_fn", default_input_fn)
        self.predict = getattr(module, "predict_fn", default_predict_fn)
        self.write = getattr(module, "output_fn", default_output_fn)
        self.model = call(model_fn, model_dir)
        # The module may keep state: AWS's containers answer in processes of their own.
        self.turn = threading.Lock()

    def answer(self, body, content_type, accept):
        with self.turn:
            if self.transform is not None:
                result = call(self.transform, self.model, body, content_type, accept)
            else:
                data = call(self.read, body, content_type)
                prediction = call(self.predict, data, self.model)
                result = call(self.write, prediction, accept)
        if isinstance(result, tuple):
            out, kind = result
        else:
            out = getattr(result, "response", result)
            kind = getattr(result, "mimetype", accept)
        return (out.encode("utf-8") if isinstance(out, str) else bytes(out)), kind


def handler_of(handlers):
    default_accept = os.environ.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT", JSON)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = -1

        def do_GET(self):
            if self.path == "/ping":
                self.say(200, b"", JSON)
            else:
                self.say(404, b"not found", "text/plain")

        def do_POST(self):
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            if self.path != "/invocations":
                return self.say(404, b"not found", "text/plain")
            accept = self.headers.get("Accept", "")
            try:
                kind = self.headers.get("Content-Type", JSON)
                out, kind = handlers.answer(body, kind, default_accept if accept in ANY else accept)
                self.say(200, out, kind)
            except Refused as refused:
                self.say(refused.status, str(refused).encode("utf-8"), "text/plain")
            except Exception as error:
                traceback.print_exc()
                text = "%s: %s" % (type(error).__name__, error)
                self.say(500, text.encode("utf-8", "replace"), "text/plain")

        def say(self, status, body, kind):
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            self.wfile.flush()

        def log_request(self, code="-", size="-"):
            if self.path != "/ping":
                super().log_request(code, size)

    return Handler


def load(folder, program):
    path = os.path.join(folder, program)
    if not os.path.isfile(path):
        raise SystemExit("there is no %s in the model's code" % program)
    sys.path.insert(0, os.path.dirname(path))
    sys.path.insert(0, folder)
    name = os.path.splitext(os.path.basename(program))[0]
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    # Pickled objects of the user's own classes name this module.
    sys.modules.setdefault(name, module)
    spec.loader.exec_module(module)
    return module


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


def main():
    folder, program = sys.argv[1:3]
    requirements = os.path.join(folder, "requirements.txt")
    if os.environ.get("SAGEMAKER_LOCAL_INSTALL_REQUIREMENTS") == "true" and os.path.isfile(requirements):
        subprocess.check_call([sys.executable, "-m", "pip", "install", "-r", requirements])
    model_dir = os.path.join(os.environ["SAGEMAKER_LOCAL_OPT_ML"], "model")
    handlers = Handlers(load(folder, program), model_dir)
    port = int(os.environ["SAGEMAKER_BIND_TO_PORT"])
    Server(("127.0.0.1", port), handler_of(handlers)).serve_forever()


if __name__ == "__main__":
    main()
