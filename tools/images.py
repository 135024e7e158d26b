#!/usr/bin/env python3
"""Condenses the image tables of the SageMaker Python SDK into `src/images/tables.rs`.

    pip download --no-deps sagemaker==2.257.7 botocore==1.44.5     # and unzip both wheels
    python3 tools/images.py --sdk DIR/sagemaker --botocore DIR/botocore --source "sagemaker 2.257.7" \
        xgboost > src/images/tables.rs && cargo fmt

A further algorithm is one more name at the end. Only the images that follow from region and version alone fit the
table; a framework whose tag also depends on the processor or the Python version is refused.

Beside the table stands a digest of every URI, computed here from the SDK's own files and not from the condensed table:
the tests compare what the crate answers with it.
"""

import argparse
import json
import pathlib
import re
import sys


def fnv1a64(text):
    digest = 0xCBF29CE484222325
    for byte in text.encode():
        digest = (digest ^ byte) * 0x100000001B3 % 2**64
    return digest


def training_part(config):
    """Some files have one table a scope, others one table for all scopes."""
    return config if "versions" in config else config["training"]


def single(name, version, what, values):
    if len(values or []) > 1:
        sys.exit(f"{name} {version} has images for several {what} ({', '.join(values)}): it needs more than a version")
    return list(values or [])


def images(name, config):
    """(version or alias, repository, tag, {region: account}), in the order of the file."""
    found = []
    aliases = config.get("version_aliases", {})
    for version, key in [(v, v) for v in config["versions"]] + list(aliases.items()):
        entry = config["versions"][key]
        if "repository" not in entry or "container_version" in entry:
            sys.exit(f"{name} {version} needs more than a version")
        parts = [entry.get("tag_prefix", version)]
        parts += single(name, version, "processors", config.get("processors") or entry.get("processors"))
        parts += single(name, version, "Python versions", entry.get("py_versions"))
        found.append((version, entry["repository"], "-".join(parts), entry["registries"]))
    return found


def dns_suffix(region, partitions):
    for partition in partitions:
        if region in partition["regions"] or re.match(partition["regionRegex"], region):
            return partition["dnsSuffix"]
    sys.exit(f"no partition has the region {region}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sdk", type=pathlib.Path, required=True, help="the unpacked package sagemaker")
    parser.add_argument("--botocore", type=pathlib.Path, required=True, help="the unpacked package botocore")
    parser.add_argument("--source", required=True, help="name and version of the package, for the file's head")
    parser.add_argument("names", nargs="+", help="algorithms, as the SDK's files are named")
    options = parser.parse_args()
    partitions = json.loads((options.botocore / "data" / "endpoints.json").read_text())["partitions"]

    shared = []  # the distinct tables of accounts: most algorithms share theirs
    algorithms, digests = [], []
    for name in sorted(options.names):
        config = training_part(json.loads((options.sdk / "image_uri_config" / f"{name}.json").read_text()))
        versions, uris = [], []
        for version, repository, tag, accounts in images(name, config):
            if accounts not in shared:
                shared.append(accounts)
            versions.append((version, repository, tag, shared.index(accounts)))
            for region, account in accounts.items():
                host = f"{account}.dkr.ecr.{region}.{dns_suffix(region, partitions)}"
                uris.append(f"{region} {version} {host}/{repository}:{tag}\n")
        algorithms.append((name, versions))
        digests.append((name, len(uris), fnv1a64("".join(sorted(uris)))))

    out = [
        "//! Accounts, repositories and tags of the built-in algorithms' images.",
        "//!",
        f"//! Written by `tools/images.py` from the PyPI package {options.source} (Apache-2.0); not to be edited.",
        "",
        "use super::{Accounts, Algorithm, Version};",
        "",
        "/// By name.",
        "pub(super) static ALGORITHMS: &[Algorithm] = &[",
    ]
    for name, versions in algorithms:
        out += ["    Algorithm {", f'        name: "{name}",', "        versions: &["]
        for version, repository, tag, accounts in versions:
            fields = f'name: "{version}", repository: "{repository}", tag: "{tag}", accounts: ACCOUNTS_{accounts}'
            out.append(f"            Version {{ {fields} }},")
        out += ["        ],", "    },"]
    out += ["];"]
    for index, accounts in enumerate(shared):
        out += ["", f"static ACCOUNTS_{index}: Accounts = &["]
        out += [f'    ("{region}", "{account}"),' for region, account in sorted(accounts.items())]
        out += ["];"]
    out += [
        "",
        "/// Of each algorithm: the number of (region, version) pairs, and the 64-bit FNV-1a hash of the sorted lines",
        "/// `region version uri`.",
        "#[cfg(test)]",
        "pub(super) static DIGESTS: &[(&str, usize, u64)] = &[",
    ]
    out += [f'    ("{name}", {count}, 0x{digest:016x}),' for name, count, digest in digests]
    out += ["];"]
    print("\n".join(out))


if __name__ == "__main__":
    main()
