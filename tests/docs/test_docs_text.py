# SPDX-License-Identifier: Apache-2.0
"""The pages agree with the project: the table of options, the example job, and the files that they link to."""
import os
import re
import subprocess
import sys

from pages import SOURCE, pages, read

PROGRAM = os.path.join(os.environ["CNNSWEEP_BIN"], "cnnsweep")
# page: (what stands before the table, the program's arguments that print it)
TABLES = {
    "docs/options.md": ("""# Options of a job file

`cnnsweep options` prints these too, and `--set` takes them. "Sweepable" options can stand under `parameters`.

""", ["options", "--markdown"]),
    "docs/augmentation.md": ("""# Augmentation

Under `augmentations:` a job file gives names to augmentations of training images, and `train.augment` takes one of these
names or `none`; it can be swept. Each image is changed anew in each epoch, by random numbers that depend on the seed, the
epoch and the image alone. Validation and test images are not changed, unless `data.val_augment` names what is done to them,
such as a `resize` and a `center_crop`. `cnnsweep preview JOB.yaml` draws what training will get. An augmentation has one of two
forms:

```yaml
augmentations:
  xray: {rotation_range: 5, zoom_range: 0.2, horizontal_flip: true}
  car:
    - random_horizontal_flip
    - {random_rotation: 15}
    - {color_jitter: {brightness: 0.2, contrast: 0.2}}
    - {random_perspective: {distortion_scale: 0.2, p: 0.5}}
  either:
    - {one_of: [random_autocontrast, {random_solarize: 200}]}
  mixed: [random_horizontal_flip, {mixup: {alpha: 0.2}}]
```

A mapping has the parameters of Keras' `ImageDataGenerator`, with its formulas and in its order, whichever way they are
written. A list has steps, which are applied in its order. A step is a name, a name with its first parameter, or a name with a
mapping of parameters. With `p` a step is applied to that part of the images.

The last parameters of the generator, from `rescale` on, standardize: they apply to images of all splits, and they replace the
preprocessing that belongs to the architecture or its weights, so that pixels begin as 0 to 255. Means, standard deviations
and the whitening matrix are those of the training images alone, without augmentation and in the size of `data.image`, as
after Keras' `fit`; `era` also says which of Keras' two whitening matrices it is. What takes long to compute is kept in the
folder of `data.features`; a BLAS such as `libopenblas0` makes `zca_whitening` many times faster than Debian's plain one, and its
matrix then differs in the last bits.
Saved weights record how their images were standardized. Images of `cnnsweep preview` are not standardized.

`normalize` does the same in a list, as `Normalize` after `ToTensor` does: the network gets (pixel / 255 - mean) / std, in all
splits. It stands last, but for `mixup` and `cutmix`, because the other steps change bytes. Where a recipe of torchvision has
`RandomErasing` after it, `random_erasing` stands before it; the `value` that erases with torchvision's 0 is 255 times the mean.

Steps whose names begin with `keras.` are preprocessing layers of Keras 3, for values from 0 to 255. The code of some layers does
not do what their documentation says: `RandomContrast(0.3)` only raises the contrast, for example. A step does what the
documentation says, and with `keras3: literal` what the code of Keras 3.15 does. Values are rounded to bytes after each step. What
Keras draws once for a batch is drawn for each image. What the documentation of `RandomCrop` says of inference is done with
`data.val_augment`, which then names `[{keras.resizing: {height: 224, width: 224, crop_to_aspect_ratio: true}}]`.

`mixup` and `cutmix` mix each image with another one of its batch, after all other steps, wherever they stand in the list. Labels
are mixed in the same proportion, so that the loss has a target for each class. Weights are drawn from Beta(alpha, alpha); if not
given, alpha is 0.2 for `mixup` and 1 for `cutmix`. `convention` says whose way it is done in:

| convention | an image is mixed with | weight and box |
|---|---|---|
| `keras` (layers of Keras 3) | a random one | each image has its own; for `cutmix` each batch draws its alpha from 0 to the given one |
| `torch` (torchvision's v2) | the one before it, the first one with the last | one for the batch |
| `timm` (mode `batch`) | the one at its place in the batch in reverse | one for the batch |

With `p` that part of the batches is mixed. Where a list has both, a batch is mixed by one of them at most: each has its p as
its probability, divided by the sum if this is above 1. timm's `prob` q and `switch_prob` s are p = q (1 - s) for `mixup` and
p = q s for `cutmix`. Val and test images are never mixed, whatever `data.val_augment` says. The accuracy in training counts the
class with the largest target. Mixed images are never twice the same, so that what a trunk makes of them is not cached; trials
that are mixed alike still share a trunk. `cnnsweep preview` draws mixed images with the partners that they have in the batches of
training, and `--csv` writes the partner, the weights and the box.

`cnnsweep options --augmentations` prints what both can be made of:

""", ["options", "--augmentations", "--markdown"]),
    "docs/metrics.md": ("""# Metrics

Loss and accuracy are computed for every split. `train.metrics` chooses what is computed and written beside them: in
`history/`, in the journal and in `trials.csv`, and nothing else is. A name stands for a metric of all splits, a name with
`val_`, `test_` or `final_` for that split alone, and `all` for everything:

```yaml
train: {metrics: [macro_f1, quadratic_kappa, test_macro_auc]}
```

Without the option these are `test_macro_f1` and `test_weighted_f1`. What `train.monitor`, `sweep.metric` (and with it a
scheduler) and `table.value` name is added. The option changes neither a trial nor its numbers: a sweep may go on with other
metrics.

| column | is of | computed |
|---|---|---|
| `NAME` | train | in every epoch, from the predictions that were made while the weights changed, as Keras reports it |
| `val_NAME` | val | after every epoch; in `trials.csv` at the best epoch |
| `test_NAME` | test | once, with the tested weights |
| `final_NAME` | train | once, with the tested weights and without augmentation; with `evaluate: [train, val, test]` |

`train.evaluate` names the splits that the tested weights are evaluated on: val and test, if it is not set. Each gets
a [report](results.md). Where no test split is evaluated, trials are compared by `val_accuracy`, unless `sweep.metric` says
otherwise.

The metrics of predictions are those of scikit-learn with all classes as `labels` and `zero_division=0`; a prediction is the first
of the largest scores, and scores are the softmax in double. The means over classes count every class of the dataset, also one
that does not occur, but for `balanced_accuracy`, which leaves it out as scikit-learn does. Where scikit-learn raises an error
or warns that a value is not defined it is NaN (`NA` in a history): `macro_auc`, `weighted_auc` and
`macro_average_precision` if a class does not occur, the AUC of pairs if only one does, kappa if only one occurs and no
other is predicted. NaN never counts as better. With two classes all AUCs and the average precision are those of the second
class, as in scikit-learn; precision, recall, F1 and specificity are means over both. If there are no more than k classes
`top_k_accuracy` is 1. Metrics with `keras_` are those of Keras for one-hot labels: they count every score of an image, so that an
image whose largest score is 0.4 has no positive prediction. `ece` has the bins of Guo et al. (2017): (0, 1/15], and so on.

`cnnsweep options --metrics` prints the metrics:

""", ["options", "--metrics", "--markdown"]),
    "docs/filters.md": ("""# Filters

Filters preprocess images before training: in every epoch and for the splits train, val and test alike, unlike
[augmentation](augmentation.md). There are two ways to use them.

`cnnsweep-pack --filter` filters the images once, before it resizes them. The dataset says so in its attribute `filter`, which
`cnnsweep-pack --info` prints. `--filter` may be repeated; the filters are applied in their order:

```sh
build/bin/cnnsweep-pack --size 50x50 --filter hair_removal --filter clahe:clip_limit=3:tiles=4 my_images data/filtered.h5
build/bin/cnnsweep-pack --info data/filtered.h5
```

`data.filter` filters the images of a dataset as they are stored, before they are resized to `data.image`, and can be swept. A
chain is a list. A filter is a name, a name with its first parameter, or a name with a map of parameters:

```yaml
sweep:
  parameters:
    data.filter:
      - none
      - clahe
      - median: 5
      - unsharp: {amount: 1.5}
      - [hair_removal, {clahe: {clip_limit: 3, tiles: 4}}]
```

A filtered image stays in memory for the later epochs and trials. Each rank gives an eighth of the memory that is available to
it; images that do not fit there are filtered anew each time, which the program says. Then, and for slow filters in long
sweeps, `cnnsweep-pack --filter` is better.

A filter gives the same bytes on every machine. `gaussian`, `median`, `nl_means`, `clahe`, `hair_removal` and `otsu` give those
of OpenCV 5; `bilateral`, `unsharp`, `sobel`, `gray_world` and `fundus` differ from the same formulas with OpenCV or numpy by at
most 1 of 255; the regions of `chan_vese` overlap with those of scikit-image by 0.99 (pixels that both have, of those that one
has). The tests compare them.

An image in which a filter finds no region stays whole; how many there were is said at the end.

`cnnsweep options --filters` prints the filters:

""", ["options", "--filters", "--markdown"]),
    "docs/explain.md": ("""# Explanations

`cnnsweep explain` draws which parts of an image spoke for a class: whether a network that tells lesions apart looks at the
lesion, or at the ruler beside it. It takes the folder of a sweep that kept its weights (`train.save_weights`) and explains the
best trial, or the one that `--trial` names:

```sh
build/bin/cnnsweep explain results/saved --split test --most 20 --method grad_cam,guided_grad_cam --out explained
build/bin/cnnsweep explain results/saved my_images/*/*_000001.jpg --layer conv_pw_11_relu --class 1 --out photos
```

Images are samples of a split or image files. They are decoded, filtered, resized and preprocessed as for the test of the trial,
so that the predictions are those of the sweep; the journal of the results says how. A file of weights (`.h5`, `.weights.h5`,
`.safetensors`) needs `--arch` and `--classes`, and with `--data` the classes have names.

`--class` is `predicted`, `true` (for a split), or the name or number of a class. Maps are of logits, never of probabilities: with a
softmax at the end a class would also be explained by what speaks against the others.

| file | content |
|---|---|
| `NUMBER_NAME.METHOD.png` | the image with the map over it, half and half; of `guided_backprop` and `guided_grad_cam` their colours |
| `NUMBER_NAME.METHOD.map.png` | the map alone: what is positive, scaled to 0..1, resized to the network's input |
| `maps.h5` | for each method the raw maps `[n,h,w]`, or `[n,h,w,3]` of colours, before anything is clipped or scaled; `ids`, `classes` (that are explained), `true_classes` (-1: not known), `logits`, `class_names` |
| `explained.csv` | for each image its files, what is predicted with which probability, and for which class it is explained |

The layer is the last whose output is larger than 1x1, unless `--layer` names another. Earlier layers have finer maps of simpler patterns.

Several results or files of weights are explained one after the other, each into a folder of its own, and for each image a panel
(`NUMBER_NAME.panel.png`) shows all of them side by side, such as a network for 224 pixels beside one for 448: a column for each
network, under the image as the network gets it a row for each method.

`--faithfulness` measures for each method how far the network's confidence in the class follows the maps, as means over the
images. ROAD (Rong et al. 2022) removes a tenth, two tenths and up to nine tenths of the pixels and fills the holes from their
neighbours. It is half of the difference between the confidence that is left without the least relevant pixels and that without
the most relevant ones: 0 for a random map, and more is better. Pixels with the same value are removed in random order. `drop` is
by how much confidence falls if the image is multiplied by the map (less is better), and `increase` the share of images for
which it then rises. All this takes about twenty forward passes an image and method.

Guided backpropagation passes on only positive gradients, at each ReLU whose input is positive, and at each ReLU6 whose input is
also below 6. For other activations, such as the swish of EfficientNet, it is not defined: they keep their plain gradient, which
the program says. Guided backpropagation looks sharp, but changes little when the network's weights become others (Adebayo et
al. 2018): do not trust it alone.

The formulas are in [explain.h](../include/cnnsweep/explain.h). `cnnsweep options --explanations` prints the methods:

""", ["options", "--explanations", "--markdown"]),
}

problems = []
for place, (head, arguments) in TABLES.items():
    table = head + subprocess.run([PROGRAM, *arguments], check=True, text=True, stdout=subprocess.PIPE).stdout
    if "--write" in sys.argv:
        with open(os.path.join(SOURCE, place), "w", encoding="utf-8") as file:
            file.write(table)
    if read(place) != table:
        problems.append(f"{place} is not the program's table: CNNSWEEP_BIN=build/bin CNNSWEEP_SOURCE=. "
                        "python3 tests/docs/test_docs_text.py --write")

example = re.search(r"^```yaml\n(.*?)^```", read("README.md"), re.M | re.S).group(1)
demo = "".join(line for line in read("jobs/demo.yaml").splitlines(True) if not line.startswith("#"))
if example != demo:
    problems.append("README.md's example is not jobs/demo.yaml")


def anchors(path):
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in re.findall(r"^#+ (.*)$", read(path), re.M)}


texts = [name for name in os.listdir(SOURCE) if name.endswith(".md")]
for page in {*pages(), *texts, "slurm/README.md"}:
    for link in re.findall(r"\]\(([^)#:]*)(#[^)]*)?\)", read(page)):
        target = os.path.normpath(os.path.join(os.path.dirname(page), link[0])) if link[0] else page
        if not os.path.exists(os.path.join(SOURCE, target)):
            problems.append(f"{page}: {link[0]} does not exist")
        elif link[1] and link[1][1:] not in anchors(target):
            problems.append(f"{page}: {target} has no section {link[1]}")
print("\n".join(problems) or f"{len(pages())} pages agree with the project")
sys.exit(1 if problems else 0)
