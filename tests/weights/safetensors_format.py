# SPDX-License-Identifier: Apache-2.0
"""Reads and writes the safetensors format as it is defined: 8 bytes N (little endian), N bytes of JSON, the values."""
import json
import struct

import numpy as np

CODES = {"float16": "F16", "float32": "F32", "float64": "F64", "int64": "I64",
         "uint16": "BF16"}  # numpy has no bfloat16


def pack(header, data):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def write(path, tensors, metadata=None):
    header, data = {"__metadata__": metadata} if metadata else {}, b""
    for name, values in tensors.items():
        block = np.ascontiguousarray(values).tobytes()
        header[name] = {"dtype": CODES[str(values.dtype)], "shape": list(values.shape),
                        "data_offsets": [len(data), len(data) + len(block)]}
        data += block
    with open(path, "wb") as out:
        out.write(pack(header, data))


def read(path):
    """(tensors, metadata); fails on what the format forbids."""
    with open(path, "rb") as file:
        blob = file.read()
    size, = struct.unpack("<Q", blob[:8])
    header, data = json.loads(blob[8:8 + size]), blob[8 + size:]
    assert blob[8:9] == b"{" and (8 + size) % 8 == 0
    metadata = header.pop("__metadata__", {})
    assert all(isinstance(text, str) for text in metadata.values())
    kinds = {code: kind for kind, code in CODES.items()}
    tensors, end = {}, 0
    for name, entry in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
        begin, stop = entry["data_offsets"]
        assert begin == end, f"{name} starts at {begin}, not {end}"
        end = stop
        tensors[name] = np.frombuffer(data[begin:stop], kinds[entry["dtype"]]).reshape(entry["shape"])
    assert end == len(data)
    return tensors, metadata
