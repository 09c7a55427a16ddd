# SPDX-License-Identifier: Apache-2.0
"""Prints sklearn's classification_report of a file that has the class names, an empty line, and "label prediction" lines. Where a
class neither occurs nor is predicted, earlier versions than 1.9 write a micro average in place of the accuracy; the line is then
written as 1.9 writes it."""
import re
import sys

from sklearn.metrics import classification_report

names, pairs = open(sys.argv[1], encoding="utf-8").read().split("\n\n", 1)
names = names.split("\n")
labels, predictions = zip(*(map(int, line.split()) for line in pairs.splitlines()))
report = classification_report(labels, predictions, labels=range(len(names)), target_names=names, digits=2)
report = re.sub(r"^( *)   micro avg( +)[0-9.]+( +)[0-9.]+( +[0-9.]+ +[0-9]+)$",
                lambda m: m[1] + "    accuracy" + m[2] + "    " + m[3] + "    " + m[4], report, flags=re.M)
sys.stdout.reconfigure(encoding="utf-8")
sys.stdout.write(report)
