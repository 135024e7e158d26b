#!/usr/bin/env python3
"""Writes what the SageMaker Python SDK makes of some arrays, for the tests of src/codec/recordio.

    pip install sagemaker==2.257.7 scipy
    python3 tools/recordio_vectors.py > src/codec/recordio/tests/python.txt
"""

import io
import logging

import numpy as np
import scipy.sparse

logging.disable()  # the SDK logs to standard output
from sagemaker.amazon.common import write_numpy_to_dense_tensor, write_spmatrix_to_sparse_tensor


def show(name, write, array, labels=None):
    file = io.BytesIO()
    write(file, array, labels)
    print(name, file.getvalue().hex())


def dense(name, array, labels=None):
    show(name, write_numpy_to_dense_tensor, array, labels)


def main():
    print("# Written by tools/recordio_vectors.py with sagemaker 2.257.7.")
    dense("float64", np.array([[1.0, 2.0]]))
    dense("float32", (np.arange(12, dtype="float32") * np.float32(0.1) - np.float32(0.5)).reshape(4, 3))
    dense("int64", np.array([[0, 1, 127], [128, -1, 2147483647], [-2147483648, 300, -300]]))
    dense("no_columns", np.zeros((2, 0), dtype="float32"))
    dense("wide", (np.arange(300) / 7.0).reshape(1, 300))
    dense("special", np.array([[np.nan, np.inf, -0.0, np.finfo("float64").tiny]]))
    features = np.array([[1, -2.5], [0, 3.25], [7, 8]], dtype="float32")
    dense("float32_labels_float32", features, np.array([1, 0, 1], dtype="float32"))
    dense("float32_labels_float64", features, np.array([1.5, 0, -1.5]))
    dense("float32_labels_int64", features, np.array([0, -1, 300]))
    dense("int64_labels_float64", np.array([[5, 6], [7, 8]]), np.array([1.0, 2.0]))
    table = np.zeros((3, 300))
    table[0, 1], table[0, 299], table[2, 0] = 1.5, -2.0, 0.25
    matrix = scipy.sparse.csr_matrix(table)
    show("sparse_float64", write_spmatrix_to_sparse_tensor, matrix)
    show("sparse_float64_labels", write_spmatrix_to_sparse_tensor, matrix, np.array([1, 0, 1], dtype="float32"))


if __name__ == "__main__":
    main()
