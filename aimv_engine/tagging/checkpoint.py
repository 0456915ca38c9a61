"""Reads the tensors of a TensorFlow 1 checkpoint without TensorFlow.

A checkpoint is two files. `.index` is a LevelDB table (github.com/google/leveldb, doc/table_format.md): blocks of
sorted keys, found through an index block that a footer points to. A key is a variable's name; its value is a protocol
buffer (BundleEntryProto in tensorflow/core/protobuf/tensor_bundle.proto) that says where in `.data` its bytes lie.
"""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from aimv_engine.arrays import F32

FOOTER = 48  # bytes
MAGIC = 0xDB4775248B80FB57
FLOAT = 1  # DT_FLOAT in TensorFlow's types.proto
VARINT, BYTES = 0, 2  # wire types of protocol buffers


def read_checkpoint(index: Path, data: Path) -> dict[str, F32]:
    """Every float tensor of the checkpoint whose two files are given, by name.

    Raises ValueError when the index is not an uncompressed table.
    """
    table = index.read_bytes()
    if struct.unpack_from("<Q", table, len(table) - 8)[0] != MAGIC:
        raise ValueError("not a LevelDB table")
    content = np.fromfile(data, np.uint8)
    tensors = {}
    for _last_key, handle in _block(table, _index_handle(table)):
        for name, value in _block(table, handle):
            entry = dict(_message(value))
            if name and entry.get(1) == FLOAT:  # the empty name holds the header
                shape = [dict(_message(size)).get(1, 0) for _field, size in _message(entry.get(2, b""))]
                first = entry.get(4, 0)
                tensors[name.decode()] = content[first : first + entry[5]].view("<f4").reshape(shape)
    return tensors


def _index_handle(table: bytes) -> bytes:
    """The footer holds two handles, of the block of metadata and of the index block."""
    position = len(table) - FOOTER
    for _number in range(2):
        _value, position = _varint(table, position)
    return table[position:]


def _block(table: bytes, handle: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The keys and values of a block. A key is written as what it adds to the start of the key before it."""
    start, after = _varint(handle, 0)
    size, _after = _varint(handle, after)
    if table[start + size] != 0:
        raise ValueError("a compressed table")
    restarts = struct.unpack_from("<I", table, start + size - 4)[0]
    end = start + size - 4 * (restarts + 1)
    key, position = b"", start
    while position < end:
        shared, position = _varint(table, position)
        added, position = _varint(table, position)
        length, position = _varint(table, position)
        key = key[:shared] + table[position : position + added]
        position += added
        yield key, table[position : position + length]
        position += length


def _message(data: bytes) -> Iterator[tuple[int, Any]]:
    """The fields of a protocol buffer message: their numbers, and an int or bytes each."""
    position = 0
    while position < len(data):
        tag, position = _varint(data, position)
        field, wire_type = tag >> 3, tag & 7
        if wire_type == VARINT:
            value, position = _varint(data, position)
            yield field, value
        else:
            length, position = _varint(data, position) if wire_type == BYTES else (4, position)  # the rest: fixed32
            yield field, data[position : position + length]
            position += length


def _varint(data: bytes, position: int) -> tuple[int, int]:
    """A number in groups of seven bits, lowest first, and the position after it."""
    value = shift = 0
    while True:
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, position
