# SPDX-License-Identifier: Apache-2.0
"""Prints sklearn's classification_report of a file that has the class names, an empty line, and "label prediction" lines."""
import sys

from sklearn.metrics import classification_report

names, pairs = open(sys.argv[1], encoding="utf-8").read().split("\n\n", 1)
names = names.split("\n")
labels, predictions = zip(*(map(int, line.split()) for line in pairs.splitlines()))
sys.stdout.reconfigure(encoding="utf-8")
sys.stdout.write(classification_report(labels, predictions, labels=range(len(names)), target_names=names, digits=2))
