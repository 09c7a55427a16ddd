# SPDX-License-Identifier: Apache-2.0
"""cnnsweep-synthetic: its images are labelled as synthetic, repeatable, made quickly, and neither impossible nor trivial to
classify."""
import resource

import numpy as np
from pack_tools import BIN, PackTest, main, run
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler


class Synthetic(PackTest):
    def draw(self, name, *options):
        result = run("cnnsweep-synthetic", self.root / name, *options)
        self.assertEqual(result.returncode, 0, result.stderr)
        folder = self.root / name
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    def test_files_say_that_they_are_synthetic(self):
        files = self.draw("src", "--per-class", 20)
        self.assertIn(b"no patient", files.pop("SYNTHETIC.txt"))
        self.assertEqual(len(files), 40)
        for name in files:
            split, label, file = name.split("/")
            self.assertTrue(file.startswith("synthetic_") and label.startswith("synthetic_") and label in file)
        self.assertEqual(sum(name.startswith("train/") for name in files), 28)
        self.assertEqual(sum(name.startswith("val/synthetic_nevus/") for name in files), 3)

    def test_images_depend_on_the_seed(self):
        one, again, other = (self.draw(str(i), "--per-class", 5, "--seed", seed) for i, seed in enumerate((4, 4, 5)))
        self.assertEqual(one, again)
        self.assertNotEqual(one, other)

    def test_classes_and_size_are_as_asked_for(self):
        self.draw("src", "--classes", 3, "--per-class", 10, "--size", "48x32")
        self.pack()
        self.assertEqual({label for _, label, _ in self.samples().values()}, {0, 1, 2})
        self.assertEqual(next(iter(self.samples().values()))[2].shape, (32, 48, 3))

    def test_demo_set_takes_two_seconds_at_most(self):
        """Measures processor time, which does not depend on the machine's load; a build with sanitizers may take longer."""
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        self.draw("src", "--per-class", 300)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        self.assertLess(after.ru_utime - before.ru_utime, 10 if b"__asan" in (BIN / "cnnsweep-synthetic").read_bytes() else 2)

    def test_a_linear_model_classifies_well_but_not_perfectly(self):
        """A linear model on colour statistics classifies some of them correctly; a small network does better."""
        self.draw("src", "--per-class", 300)
        self.pack()
        features = {"train": [], "test": []}
        labels = {"train": [], "test": []}
        for split, label, pixels in self.samples().values():
            if split == "val":
                continue
            flat = pixels.reshape(-1, 3).astype(float)
            features[split].append(np.concatenate([flat.mean(0), flat.std(0), np.percentile(flat, [2, 10, 25], axis=0).ravel()]))
            labels[split].append(label)
        model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000)).fit(features["train"], labels["train"])
        accuracy = model.score(features["test"], labels["test"])
        self.assertGreater(accuracy, 0.65)
        self.assertLess(accuracy, 0.97)

    def test_wrong_calls_are_refused(self):
        for options, status, needle in ((["--classes", "9"], 1, "there are 2 to 3"), (["--sead", "1"], 2, "--seed"),
                                        ([], 1, "already exists")):
            result = run("cnnsweep-synthetic", self.root, *options)
            self.assertEqual(result.returncode, status)
            self.assertIn(needle, result.stderr)


if __name__ == "__main__":
    main()
