#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures the capacity of rank 0, with the program's queue and coordinator (queue_rate.c) and nothing to train:

    python3 tests/bench/scale.py [--build BUILD] [--rounds 5] [--folder FOLDER] [--service FILE]

It prints Markdown tables with medians of the rounds: 100,000 trials through the coordinator, the queue's hand-out rate, the
service time of a message, rank 0's load with 64 ranks that sleep, and simulated makespans compared with measured ones. FOLDER,
where results are written, is on the disk whose fsync is to be measured. FILE gets the service times, for scale_sim.py."""
import argparse
import csv
import json
import os
import shutil
import statistics
import subprocess
import tempfile

import scale_sim

SOURCE = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))
MPI = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1", "OMPI_MCA_mpi_yield_when_idle": "1",
       "OMPI_MCA_rmaps_base_oversubscribe": "1", "OMPI_MCA_hwloc_base_binding_policy": "none",
       "PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe", "PRTE_MCA_hwloc_default_binding_policy": "none"}
KINDS = ("ask", "epoch", "finished")


class Bench:
    def __init__(self, build, folder, rounds):
        self.bin, self.folder, self.rounds = os.path.abspath(build), folder, rounds
        self.data = os.path.join(folder, "few.h5")
        drawn = os.path.join(folder, "few")
        for command in (["cnnsweep-synthetic", "--classes", "3", "--per-class", "40", "--size", "32x32", drawn],
                        ["cnnsweep-pack", drawn, self.data]):
            subprocess.run([os.path.join(self.bin, "bin", command[0]), *command[1:]], check=True, capture_output=True)

    def job(self, trials, epochs):
        """Writes a job of ten batch sizes with equally many seeds."""
        path = os.path.join(self.folder, f"job-{trials}-{epochs}.yaml")
        with open(path, "w") as out:
            out.write(f"name: scale\ndata: {{path: {self.data}}}\nmodel: {{arch: basenet}}\ngroup: false\n"
                      f"train: {{epochs: {epochs}}}\n"
                      f"sweep: {{repeats: {trials // 10}, parameters: {{batch: [{', '.join(map(str, range(1, 11)))}]}}}}\n")
        return path

    def once(self, ranks, trials, epochs, mean, sigma, claimed, root):
        """(the JSON object of queue_rate, the lengths of the trials)"""
        out = os.path.join(self.folder, "out")
        shutil.rmtree(out, ignore_errors=True)
        command = [os.path.join(self.bin, "tests", "queue_rate"), self.job(trials, epochs), out, str(mean), str(sigma),
                   str(claimed), root]
        if ranks > 1:
            command = ["mpirun", "-n", str(ranks), *command]
        done = subprocess.run(command, env={**os.environ, **MPI}, capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(f"{' '.join(command)}: exit {done.returncode}\n{done.stderr}")
        with open(os.path.join(out, "trials.csv"), newline="") as file:
            lengths = [float(row["seconds"]) for row in csv.DictReader(file)]
        assert len(lengths) == trials, f"{len(lengths)} of {trials} trials"
        return json.loads(done.stdout), lengths

    def median(self, *arguments):
        """The median of each number over the rounds."""
        runs = [self.once(*arguments)[0] for _ in range(self.rounds)]
        return median_of(runs)


def median_of(runs):
    first = runs[0]
    return {name: median_of([run[name] for run in runs]) if isinstance(value, dict)
            else statistics.median(run[name] for run in runs) for name, value in first.items()}


def beside(run):
    """The seconds that rank 0's service thread needs to receive and to answer a message."""
    handled = sum(run[kind]["n"] * run[kind]["us"] for kind in (*KINDS, "leaving")) + run["commits"] * run["commit_us"]
    return max(0.0, run["run_s"] * run["busy"] - handled * 1e-6) / run["messages"]


def service_of(run):
    return scale_sim.Service(ask=run["ask"]["us"] * 1e-6, epoch=run["epoch"]["us"] * 1e-6,
                             finished=run["finished"]["us"] * 1e-6, message=beside(run),
                             sync=run["commit_us"] * 1e-6, sleep=run["sleep_us"] * 1e-6)


def print_dry(bench):
    print("\n## 100,000 trials through the coordinator\n\nOne rank that asks and reports and does nothing else; one epoch in a trial, "
          "reported as 2 s long. One round.\n")
    print("| trials | files | ask, us | epoch, us | finished, us | read the job, s | plan, s | open, s | all trials, s "
          "| end, s | resident, MB |\n|---|---|---|---|---|---|---|---|---|---|---|")
    for folder, name in (("/dev/shm", "memory"), (bench.folder, "disk")):
        other = Bench(bench.bin, tempfile.mkdtemp(dir=folder), 1)
        for trials in (1000, 10000, 100000) if name == "memory" else (1000, 10000):
            run = other.median(1, trials, 1, 0, 0, 2, "takes")
            print(f"| {trials} | {name} | {run['ask']['us']:.1f} | {run['epoch']['us']:.0f} | {run['finished']['us']:.0f} "
                  f"| {run['read_s']:.2f} | {run['plan_s']:.2f} | {run['open_s']:.2f} | {run['run_s']:.1f} "
                  f"| {run['end_s']:.2f} | {run['resident_MB']:.0f} |", flush=True)
        shutil.rmtree(other.folder)


def print_rate(bench):
    print("\n## How fast the queue hands out and takes\n\nRanks ask, train nothing and report as fast as they can; 5 epochs in "
          "a trial, each reported as 2 s long, so that it is on the disk when it is answered.\n")
    print("| ranks | rank 0 | files | messages/s | trials/s | messages a sync | ask, us | epoch, us | finished, us | sync, us "
          "| beside, us | rank 0 busy | wait for a group, ms: median, p99 |\n"
          "|---|---|---|---|---|---|---|---|---|---|---|---|---|")
    service = None
    for folder, name in (("/dev/shm", "memory"), (bench.folder, "disk")):
        other = Bench(bench.bin, tempfile.mkdtemp(dir=folder), bench.rounds)
        for ranks, trials, root in ((2, 300, "serves"), (8, 1000, "serves"), (64, 1000, "serves"), (8, 300, "computes")):
            run = other.median(ranks, trials, 5, 0, 0, 2, root)
            print(f"| {ranks} | {root} | {name} | {run['messages'] / run['run_s']:.0f} "
                  f"| {run['finished']['n'] / run['run_s']:.0f} | {run['messages'] / run['commits']:.1f} "
                  f"| {run['ask']['us']:.1f} | {run['epoch']['us']:.0f} | {run['finished']['us']:.0f} "
                  f"| {run['commit_us']:.0f} | {beside(run) * 1e6:.0f} | {run['busy']:.2f} "
                  f"| {run['ask']['wait_median_us'] / 1e3:.1f}, {run['ask']['wait_p99_us'] / 1e3:.1f} |", flush=True)
            if (ranks, root) == (8, "serves"):
                service = service_of(run)   # those with 64 ranks are disturbed by the ranks, which share the cores
        shutil.rmtree(other.folder)
    return service


def print_load(bench):
    print("\n## Rank 0's load with 64 ranks\n\n64 ranks on the cores there are; trials sleep, log-normal with sigma 0.5, and "
          "report 10 epochs.\n")
    print("| mean trial, s | rank 0 | messages/s | rank 0 busy | service thread, cores | wait for an epoch, ms: median, p99 "
          "| wait for a group, ms: median, p99 |\n|---|---|---|---|---|---|---|")
    for mean, trials, root in ((0.5, 1000, "serves"), (2, 260, "serves"), (2, 260, "computes"), (0.1, 2000, "serves")):
        run = bench.median(64, trials, 10, mean, 0.5, 0, root)
        print(f"| {mean} | {root} | {run['messages'] / run['run_s']:.0f} | {run['busy']:.3f} "
              f"| {run['service_cpu_s'] / run['run_s']:.3f} "
              f"| {run['epoch']['wait_median_us'] / 1e3:.1f}, {run['epoch']['wait_p99_us'] / 1e3:.1f} "
              f"| {run['ask']['wait_median_us'] / 1e3:.1f}, {run['ask']['wait_p99_us'] / 1e3:.1f} |", flush=True)


def print_validation(bench):
    print("\n## Simulated against measured\n\nThe same lengths, log-normal with sigma 0.5, and the service times of that very run; "
          "rank 0 serves.\n")
    print("| ranks | trials | epochs | mean trial, s | measured, s | simulated, s | simulated / measured | busy: measured "
          "| simulated | median wait, ms: measured | simulated |\n|---|---|---|---|---|---|---|---|---|---|---|")
    for ranks, trials, epochs, mean in ((8, 100, 10, 0.5), (16, 250, 10, 0.5), (32, 500, 10, 0.5), (64, 1000, 10, 0.5),
                                        (64, 2000, 5, 0.1)):
        rounds = []
        for _ in range(bench.rounds):
            run, lengths = bench.once(ranks, trials, epochs, mean, 0.5, 0, "serves")
            got = scale_sim.simulate(ranks, lengths, epochs, service_of(run))
            rounds.append({"measured": run["run_s"], "simulated": got.makespan, "ratio": got.makespan / run["run_s"],
                           "busy": run["busy"], "simulated_busy": got.busy, "wait": run["epoch"]["wait_median_us"] / 1e3,
                           "simulated_wait": scale_sim.quantile(got.waits, 0.5) * 1e3})
        row = median_of(rounds)
        print(f"| {ranks} | {trials} | {epochs} | {mean} | {row['measured']:.2f} | {row['simulated']:.2f} "
              f"| {row['ratio']:.3f} | {row['busy']:.2f} | {row['simulated_busy']:.2f} | {row['wait']:.1f} "
              f"| {row['simulated_wait']:.1f} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--build", default=os.path.join(SOURCE, "build"))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--folder", default=tempfile.gettempdir())
    parser.add_argument("--service", default="")
    args = parser.parse_args()
    bench = Bench(args.build, tempfile.mkdtemp(dir=args.folder), args.rounds)
    try:
        print_dry(bench)
        service = print_rate(bench)
        print_load(bench)
        print_validation(bench)
    finally:
        shutil.rmtree(bench.folder)
    text = json.dumps({name: float(f"{value:.3g}") for name, value in vars(service).items()})
    print(f"\nService times: `{text}`")
    if args.service:
        with open(args.service, "w") as out:
            out.write(text)


if __name__ == "__main__":
    main()
