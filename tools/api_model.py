#!/usr/bin/env python3
"""Writes the condensed API tables of src/api_model from botocore's published service models.

    python3 tools/api_model.py --botocore DIR --out src/api_model/tables
    python3 tools/api_model.py --model sagemaker=service-2.json.gz --version 1.44.5 --out src/api_model/tables

DIR is an installed botocore package (the folder that holds `data`); without --botocore and --model the
botocore that this Python can import is taken. The same input gives the same bytes.

Form of a table: sorted lines of tab-separated fields, searched in place by src/api_model/table.rs.

    #<service> <api version>, botocore <version>
    @<operation>    <input shape>    <output shape>          (a missing shape is an empty field)
    <shape>         <kind><!>        <constraint or part>...

Kinds: s string, i integer, l long, f float, b boolean, t timestamp, B blob, L list, M map, S structure,
U union, E event stream. `!` marks a sensitive shape. Constraints and parts:

    n<number>   least length or value            x<number>   greatest length or value
    p<regex>    pattern                          e<a|b|c>    enum values
    v<shape>    list element or map value        k<shape>    map key
    m<name>[*][:<shape>][@<place>[=<wire name>]]   member: * required, the shape when it is not named like the
                member, where it travels in rest-json: h header, u URI, q query string, p payload
"""

import argparse
import gzip
import json
import pathlib
import sys

SERVICES = ("cloudwatch", "logs", "sagemaker", "sagemaker-runtime")

KINDS = {
    "string": "s", "character": "s", "integer": "i", "long": "l", "float": "f", "double": "f",
    "boolean": "b", "timestamp": "t", "blob": "B", "list": "L", "map": "M", "structure": "S",
}

PLACES = {"header": "h", "uri": "u", "querystring": "q"}


def read(path):
    data = pathlib.Path(path).read_bytes()
    return json.loads(gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data)


def installed():
    import botocore
    return pathlib.Path(botocore.__file__).parent


def version_of(package):
    for line in (package / "__init__.py").read_text().splitlines():
        if line.startswith("__version__"):
            return line.split("=")[1].strip().strip("'\"")
    sys.exit(f"{package}: no __version__")


def newest_model(package, service):
    found = sorted((package / "data" / service).glob("*/service-2.json*"))
    if not found:
        sys.exit(f"{package}: no model of {service}")
    return found[-1]


def targets(shape):
    parts = [shape[key] for key in ("member", "key", "value") if key in shape]
    return [part["shape"] for part in parts + list(shape.get("members", {}).values())]


def reachable(model):
    names = {end["shape"] for op in model["operations"].values() for end in (op.get("input"), op.get("output")) if end}
    waiting = sorted(names)
    while waiting:
        for name in targets(model["shapes"][waiting.pop()]):
            if name not in names:
                names.add(name)
                waiting.append(name)
    return sorted(names)


def member_field(name, member, shape):
    field = "m" + name + ("*" if name in shape.get("required", ()) else "")
    if member["shape"] != name:
        field += ":" + member["shape"]
    if "location" in member:
        field += "@" + PLACES[member["location"]] + "=" + member["locationName"]
    elif shape.get("payload") == name:
        field += "@p"
    return field


def shape_line(name, shape):
    kind = "U" if shape.get("union") else "E" if shape.get("eventstream") else KINDS[shape["type"]]
    fields = [name, kind + ("!" if shape.get("sensitive") else "")]
    for key, mark in (("min", "n"), ("max", "x"), ("pattern", "p")):
        if key in shape:
            fields.append(f"{mark}{shape[key]}")
    if "enum" in shape:
        fields.append("e" + "|".join(shape["enum"]))
    if "key" in shape:
        fields.append("k" + shape["key"]["shape"])
    for key in ("member", "value"):
        if key in shape:
            fields.append("v" + shape[key]["shape"])
    fields += [member_field(key, member, shape) for key, member in shape.get("members", {}).items()]
    if any("\t" in field or "\n" in field for field in fields) or any("|" in value for value in shape.get("enum", ())):
        sys.exit(f"{name}: cannot be written in this form")
    return "\t".join(fields)


def table(service, model, version):
    lines = [f"#{service} {model['metadata']['apiVersion']}, botocore {version}"]
    for name, operation in model["operations"].items():
        ends = [operation.get(end, {}).get("shape", "") for end in ("input", "output")]
        lines.append("\t".join(["@" + name] + ends))
    lines += [shape_line(name, model["shapes"][name]) for name in reachable(model)]
    return "".join(line + "\n" for line in sorted(lines))


def main():
    parser = argparse.ArgumentParser(description="Writes the condensed API tables.")
    parser.add_argument("--botocore", type=pathlib.Path, help="an installed botocore package")
    parser.add_argument("--model", action="append", default=[], metavar="SERVICE=PATH", help="one service's model")
    parser.add_argument("--version", help="the botocore version of the models given by path")
    parser.add_argument("--out", type=pathlib.Path, required=True, help="folder to write to")
    options = parser.parse_args()
    if options.model:
        if not options.version:
            parser.error("--model needs --version")
        models, version = dict(item.split("=", 1) for item in options.model), options.version
    else:
        package = options.botocore or installed()
        models, version = {service: newest_model(package, service) for service in SERVICES}, version_of(package)
    options.out.mkdir(parents=True, exist_ok=True)
    for service, path in sorted(models.items()):
        if service not in SERVICES:
            parser.error(f"{service}: not one of {', '.join(SERVICES)}")
        text = table(service, read(path), version)
        (options.out / f"{service}.tsv").write_bytes(text.encode("ascii"))
        print(f"{service}: {text.count(chr(10))} lines, {len(text)} bytes")


if __name__ == "__main__":
    main()
