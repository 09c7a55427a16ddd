# SPDX-License-Identifier: Apache-2.0
"""`cnnsweep preview` of augmentations that mix batches: a cell is the image mixed with its partner as the numbers of the CSV say,
the partners are those of training's batches, and training has the loss of these images and labels."""
import csv

import h5py
import numpy as np
import torch

from basenet import torch_basenet
from harness import make_data, path, read_trials, run_ok, run_tests, write_job
from sheets import HEAD, draw

# 105 images of train in batches of 16: the last batch has 9.
BATCH, COUNT = 16, 105
make_data(per_class=50)
write_job(HEAD + f"""threads: 1
train: {{batch: {BATCH}, seed: 7, augment: AUGMENT, epochs: 2, optimizer: sgd, lr: 1e-12, save_weights: h5}}
augmentations:
  mixed: [{{mixup: 0.4}}, random_horizontal_flip]
  cut: [random_vertical_flip, {{cutmix: {{convention: torch}}}}]
  half: [{{mixup: {{convention: timm, p: 0.3}}}}, {{cutmix: {{convention: timm, p: 0.3}}}}]
  large: [{{resize: 40}}, {{random_crop: 32}}, {{cutmix: 0.7}}]
""".replace("AUGMENT", "mixed"))


def cells_of(name, epochs=2):
    """The cells of all training images, epoch by epoch and by the index of their sample."""
    cells = draw("job.yaml", name, COUNT, epochs)
    epochs = [cells[epoch::epochs] for epoch in range(epochs)]
    assert all([cell.sample for cell in one] == list(range(COUNT)) for one in epochs)
    return epochs


def mix_of(cell):
    """The name of the step that mixed the image, and its numbers; None, {} if none did."""
    return next(((name, numbers) for name, numbers in cell.steps if name in ("mixup", "cutmix")), (None, {}))


def unmixed(cell):
    names = [name for name, _ in cell.steps]
    image = cell.before[:, ::-1] if "random_horizontal_flip" in names else cell.before
    return image[::-1] if "random_vertical_flip" in names else image


def test_the_cells_are_mixed_as_the_numbers_say():
    for name, kind in (("mixed", "mixup"), ("cut", "cutmix")):
        for cells in cells_of(name):
            for cell in cells:
                step, n = mix_of(cell)
                own, partner = unmixed(cell), unmixed(cells[int(n["partner"])])
                assert step == kind
                if kind == "mixup":
                    assert n["weight"] == n["label_weight"]
                    off = cell.after - (n["weight"] * own + (1 - n["weight"]) * partner)
                    assert np.abs(off).max() < 0.51, (cell.sample, np.abs(off).max())
                    continue
                box = np.s_[int(n["top"]):int(n["bottom"]), int(n["left"]):int(n["right"])]
                want = own.copy()
                want[box] = partner[box]
                assert (cell.after == want).all(), cell.sample
                assert abs(n["label_weight"] - (1 - want[box].size / want.size)) < 1e-6
            assert sum((cell.after != unmixed(cell)).any() for cell in cells) > COUNT / 2


def test_partners_are_of_one_batch():
    """With torch's convention the partners of a batch are a ring, and the batches of another epoch are others."""
    batches = []
    for cells in cells_of("cut"):
        partner, left, rings = [int(mix_of(cell)[1]["partner"]) for cell in cells], set(range(COUNT)), []
        while left:
            ring = [min(left)]
            while partner[ring[-1]] != ring[0]:
                ring.append(partner[ring[-1]])
            left -= set(ring)
            rings.append(frozenset(ring))
            boxes = {tuple(mix_of(cells[i])[1][side] for side in ("left", "top", "right", "bottom")) for i in ring}
            assert len(boxes) == 1, "one box for a batch"
        assert sorted(map(len, rings)) == [COUNT % BATCH] + [BATCH] * (COUNT // BATCH)
        batches.append(set(rings))
    assert batches[0].isdisjoint(batches[1])


def test_some_batches_are_not_mixed():
    seen = set()
    for cells in cells_of("half", 4):
        kinds = [mix_of(cell)[0] for cell in cells]
        assert all(kinds.count(kind) % BATCH in (0, COUNT % BATCH) for kind in kinds), kinds
        seen |= set(kinds)
    assert seen == {None, "mixup", "cutmix"}


def losses(name):
    """The losses of the initial weights on the cells of each epoch."""
    with h5py.File(path("data.h5")) as data:
        labels = torch.from_numpy(data["train/label"][...]).long()
    for cells in cells_of(name):
        n = [mix_of(cell)[1] for cell in cells]
        partners = [int(numbers.get("partner", i)) for i, numbers in enumerate(n)]
        weights = torch.tensor([numbers.get("label_weight", 1.0) for numbers in n])
        logits = torch_basenet(np.stack([cell.after for cell in cells]) / 255, f"{name}/weights/t000.h5")[1]
        own, other = (torch.nn.functional.cross_entropy(logits, of, reduction="none") for of in (labels, labels[partners]))
        yield float((weights * own + (1 - weights) * other).mean())


def test_training_has_the_loss_of_the_cells():
    """At a learning rate at which the weights stay as they are. A cell of a mixup is rounded to bytes."""
    for name, tolerance in (("mixed", 1e-4), ("cut", 2e-6), ("half", 2e-5), ("large", 2e-6)):
        run_ok("train", "job.yaml", "--out", name, "--set", f"train.augment={name}")
        with open(path(f"{name}/history/{read_trials(name)[0]['trial']}.csv"), newline="") as file:
            trained = [float(row["loss"]) for row in csv.DictReader(file)]
        drawn = list(losses(name))
        print(name, trained, drawn)
        assert np.allclose(trained, drawn, rtol=tolerance, atol=0), (name, trained, drawn)
        assert abs(trained[0] - trained[1]) > 10 * tolerance, "the epochs would not be told apart"


def test_the_batch_is_named():
    shown = run_ok("preview", "job.yaml", "--samples", "1", "--augment", "mixed").stdout
    assert f"mixed mixes images of a batch, which here has {BATCH}" in shown


run_tests(globals())
