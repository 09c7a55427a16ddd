# SPDX-License-Identifier: Apache-2.0
"""Scripts that compare with Keras call `enter` before they import it: the rest of them then runs in the Python that
CNNSWEEP_KERAS_PYTHON names. Where it names none, nothing is checked, which is a failure in CI."""
import os
import sys


def enter():
    interpreter = os.environ.get("CNNSWEEP_KERAS_PYTHON")
    if not interpreter:
        print("CNNSWEEP_KERAS_PYTHON is not set: nothing checked")
        sys.exit(1 if os.environ.get("CI") else 77)
    if "CNNSWEEP_INSIDE_KERAS" not in os.environ:
        os.environ["CNNSWEEP_INSIDE_KERAS"] = "1"
        os.execv(interpreter, [interpreter, *sys.argv])
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
