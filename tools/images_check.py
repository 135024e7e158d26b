#!/usr/bin/env python3
"""Asks the SageMaker Python SDK for the image of every combination of arguments, and writes what it accepts.

    pip install sagemaker==2.257.7
    python3 tools/images_check.py --digests > src/images/digests.txt     # what `cargo test` compares with
    python3 tools/images_check.py --list expected.txt                    # every line, sorted
    SAGEMAKER_IMAGE_LIST=actual.txt cargo test --release --all-features --lib images::tests::exhaustive -- --ignored
    cmp expected.txt actual.txt

The arguments, of each framework: every version and alias and none, every Python version that one of its images has and
none, one instance type of each kind and none, its scopes and none, every base framework of the version, every region that has any image;
and the further arguments (VARIANTS) where they matter. A line: framework, version, Python version, instance type, scope,
base framework, variant, region, URI, separated by tabs; `-` where nothing was given.
"""

import argparse
import contextlib
import functools
import itertools
import json
import logging
import pathlib
import sys

# Before the SDK says on the standard output which of its defaults it did not find.
logging.disable(logging.CRITICAL)

import sagemaker  # noqa: E402
from sagemaker import image_uris, utils  # noqa: E402
from sagemaker.serverless import ServerlessInferenceConfig  # noqa: E402

INSTANCES = [None, "ml.m5.xlarge", "ml.p2.xlarge", "ml.p3.2xlarge", "ml.p4d.24xlarge", "ml.c6g.xlarge",
             "ml.inf1.xlarge", "ml.inf2.xlarge", "ml.trn1.2xlarge"]
# Each table of accounts has one of these, so that what is refused in all of them is refused everywhere.
PROBES = ["us-east-1", "us-west-2", "cn-north-1"]
BASES = ("pytorch", "tensorflow")
# For these the SDK builds names that are nobody's images: they are asked for through `huggingface`.
NESTED = {"huggingface-neuron", "huggingface-neuronx", "huggingface-training-compiler"}
# One function of its own answers for this.
APART = {"sagemaker-base-python"}
VARIANTS = {
    "compiler": ({"training_compiler_config": "yes"}, {"huggingface", "pytorch"}),
    "neuron": ({"inference_tool": "neuron"}, {"huggingface", "pytorch"}),
    "neuronx": ({"inference_tool": "neuronx"}, {"huggingface", "pytorch"}),
    "eia": ({"accelerator_type": "ml.eia2.medium"}, {"tensorflow", "pytorch", "mxnet"}),
    "serverless": ({"serverless_inference_config": ServerlessInferenceConfig()},
                   {"tensorflow", "pytorch", "mxnet", "huggingface", "sklearn", "xgboost"}),
    "smdistributed": ({"distribution": {"smdistributed": {}}}, {"tensorflow", "pytorch", "mxnet"}),
    "container": ({"container_version": "cu124"}, {"pytorch-smp", "spark", "huggingface", "pytorch", "kmeans"}),
}


def parts(name, configs):
    """The tables that answer for a framework."""
    names = [name]
    if name in ("huggingface", "pytorch"):
        names += [f"{name}-{more}" for more in ("training-compiler", "neuron", "neuronx")]
    for config in (configs[name] for name in names if name in configs):
        if "versions" in config:
            yield from ((scope, config) for scope in config.get("scope", [None]))
        else:
            yield from config.items()


def space(name, configs):
    """Pairs of version and base framework, Python versions and scopes."""
    pairs, pys, scopes = set(), set(), set()
    for scope, part in parts(name, configs):
        scopes.add(scope)
        aliases = part.get("version_aliases", {})
        for version, key in [*zip(part["versions"], part["versions"]), *aliases.items()]:
            entry = part["versions"][key]
            bases = {base for base in [*entry, *entry.get("version_aliases", {})] if base.startswith(BASES)}
            pairs |= {(version, base) for base in bases} if name == "huggingface" else {(version, None)}
            pys |= set(entry.get("py_versions") or [])
            for key, nested in entry.items():
                if isinstance(nested, dict):
                    pys |= {*(nested.get("py_versions") or []), *({key} if key in ("py2", "py3") else ())}
    if name != "huggingface":
        pairs.add((None, None))
    known = [sorted(values, key=str) for values in (pairs, pys, scopes - {None})]
    return known[0], [None, *known[1]], [None, *known[2]]


def lines(name, configs, regions):
    pairs, pys, scopes = space(name, configs)
    variants = [("-", {})] + [(key, more) for key, (more, names) in VARIANTS.items() if name in names]
    for (version, base), py, instance, scope, (variant, more) in itertools.product(
        pairs, pys, INSTANCES, scopes, variants
    ):
        ask = functools.partial(
            image_uris.retrieve, name, version=version, py_version=py, instance_type=instance, image_scope=scope,
            base_framework_version=base, **more,
        )
        arguments = "\t".join(value or "-" for value in (name, version, py, instance, scope, base, variant))
        accepted = False
        for region in PROBES + [region for region in regions if region not in PROBES]:
            if region == regions_after_probes(regions) and not accepted:
                break
            with contextlib.suppress(ValueError, KeyError, TypeError, AttributeError, FileNotFoundError, NameError):
                uri = ask(region=region)
                accepted = True
                yield f"{arguments}\t{region}\t{uri}\n"


def regions_after_probes(regions):
    return next(region for region in regions if region not in PROBES)


def fnv1a64(lines):
    digest = 0xCBF29CE484222325
    for line in lines:
        for byte in line.encode():
            digest = ((digest ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return digest


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--digests", action="store_true", help="print count and FNV-1a hash per framework")
    parser.add_argument("--list", type=pathlib.Path, help="write every line")
    parser.add_argument("frameworks", nargs="*", help="default: all")
    options = parser.parse_args()

    folder = pathlib.Path(sagemaker.__file__).parent / "image_uri_config"
    configs = {file.stem: json.loads(file.read_text()) for file in sorted(folder.glob("*.json"))}
    configs.pop("instance_gpu_info", None)
    tables = []
    for config in configs.values():
        todo = [config]
        while todo:
            entry = todo.pop()
            todo += [value for value in entry.values() if isinstance(value, dict)]
            if "registries" in entry:
                tables.append(entry["registries"])
    assert all(set(PROBES) & set(table) for table in tables), "a table of accounts has no region of PROBES"
    regions = sorted(set().union(*tables))

    # The SDK reads a file and botocore's endpoints at every call: the same answers, sooner.
    image_uris.config_for_framework = functools.cache(image_uris.config_for_framework)
    utils._botocore_resolver = functools.cache(utils._botocore_resolver)

    everything = []
    if options.digests:
        print(f"# Written by tools/images_check.py with sagemaker {sagemaker.__version__}: lines, and their FNV-1a hash.")
    for name in options.frameworks or sorted(set(configs) - NESTED - APART):
        found = sorted(lines(name, configs, regions))
        print(f"{name}: {len(found)}", file=sys.stderr, flush=True)
        if options.digests:
            print(f"{name}\t{len(found)}\t{fnv1a64(found):016x}")
        everything += found
    if options.list:
        options.list.write_text("".join(sorted(everything)))


if __name__ == "__main__":
    main()
