#!/usr/bin/env python3
"""Condenses the image tables of the SageMaker Python SDK into `src/images/tables.txt`.

    pip install --no-deps --target DIR sagemaker==2.257.7
    python3 tools/images.py --sdk DIR/sagemaker --source "sagemaker 2.257.7" > src/images/tables.txt

What the SDK answers for every combination of arguments is compared with what the crate answers by
`tools/images_check.py`, which runs the SDK itself.

The lines of the table, their fields separated by tabs; an empty field is `-`:

    R  region=account ..                          the accounts that own images: named by position, from 0 on
    F  framework  scope=version ..                the version to take where none is given; `*` is any scope
    S  scopes  processors  alias=version ..       what the entries that follow are for
    B  version  alias=base ..                     other names of the base frameworks of a version
    V  version  base  py  repository  tag prefix  processors  Python versions  accounts  processor=container
       version  SDK versions                      one image; `py` where images differ by it

Lists are separated by commas. A framework with one S line, or one whose line names several scopes, has the same images
for all of them.
"""

import argparse
import json
import pathlib

from packaging.version import Version

SCOPES = ["training", "inference", "eia", "inference_graviton", "processing"]
NOT_IMAGES = {"instance_gpu_info"}


def default_version(config, scope):
    """The version that the SDK takes in a scope (None for no scope), or None if it needs to be told."""
    own = config.get(scope) if scope else None
    if isinstance(own, dict) and "latest" in own.get("version_aliases", {}):
        return own["version_aliases"]["latest"]
    if "versions" in config:
        versions = list(config["versions"])
        if "latest" in (versions[0], versions[-1]):
            return None
    elif isinstance(own, dict) and "versions" in own:
        versions = list(own["versions"])
    elif "processing" in config:
        versions = list(config["processing"]["versions"])
    else:
        return None
    first, last = versions[0], versions[-1]
    if first == last:
        return first
    if first.endswith(".x") or last.endswith(".x"):
        return f"{max(int(first[:-2]), int(last[:-2]))}.x"
    return max(first, last, key=Version)


def joined(values):
    return ",".join(values) or "-"


def pairs(mapping):
    return joined(f"{key}={value}" for key, value in mapping.items())


class Table:
    def __init__(self):
        self.accounts = []
        self.lines = []

    def line(self, *fields):
        self.lines.append("\t".join(fields))

    def image(self, version, base, py, entry):
        accounts = dict(sorted(entry["registries"].items()))
        if accounts not in self.accounts:
            self.accounts.append(accounts)
        self.line(
            "V", version, base, py, entry["repository"], entry.get("tag_prefix", "-"),
            joined(entry.get("processors", [])), joined(entry.get("py_versions") or []),
            str(self.accounts.index(accounts)), pairs(entry.get("container_version", {})),
            joined(entry.get("sdk_versions", [])),
        )

    def part(self, scopes, config):
        self.line("S", joined(scopes), joined(config.get("processors", [])), pairs(config.get("version_aliases", {})))
        for version, entry in config["versions"].items():
            if "repository" in entry:
                self.image(version, "-", "-", entry)
                continue
            if "version_aliases" in entry:
                self.line("B", version, pairs(entry["version_aliases"]))
            for name, nested in entry.items():
                if name.startswith("py") and name[2:].isdigit():
                    self.image(version, "-", name, nested)
                elif name != "version_aliases":
                    self.image(version, name, "-", nested)

    def framework(self, name, config):
        defaults = {scope or "none": default_version(config, scope) for scope in [None, *SCOPES]}
        if len(set(defaults.values())) == 1:
            defaults = {"*": defaults["none"]}
        self.line("F", name, pairs({scope: version for scope, version in defaults.items() if version}))
        if "scope" in config:
            self.part(config["scope"], config)
        elif "versions" in config:
            self.part([], config)
        else:
            for scope, part in config.items():
                self.part([scope], part)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sdk", type=pathlib.Path, required=True, help="the installed package sagemaker")
    parser.add_argument("--source", required=True, help="name and version of the package, for the file's head")
    options = parser.parse_args()
    table = Table()
    for file in sorted((options.sdk / "image_uri_config").glob("*.json")):
        if file.stem not in NOT_IMAGES:
            table.framework(file.stem, json.loads(file.read_text()))
    print(f"# Written by tools/images.py from the PyPI package {options.source} (Apache-2.0); not to be edited.")
    for accounts in table.accounts:
        print("\t".join(["R", pairs(accounts)]))
    print("\n".join(table.lines))


if __name__ == "__main__":
    main()
