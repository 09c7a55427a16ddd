#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A discrete-event simulation of a sweep's queue: thousands of ranks, and one service thread on rank 0.

    python3 tests/bench/scale_sim.py [--ranks N,...] [--trials N] [--mean SECONDS,...] [--epochs N] ...

prints a Markdown table: the makespan, the share of the ranks' time that is training (utilisation), the utilisation with a rank
0 that answers at once (which shows the loss by the last trials alone), rank 0's share of busy time, and the number of ranks
at which it would always be busy.

What is modelled is src/sweep/run/queue.c, coordinator.c and ranks.c: a rank asks, trains, tells each epoch and the end of a trial,
and looks for the answer every NAP seconds. The service thread takes all messages that are there, at most TOGETHER,
handles one after the other, syncs the journal once if they are worth it (a second of training), and answers; when there
was none it sleeps. Trials go out one by one, the longest first. Rank 0, where it trains, speaks to the coordinator itself.
Defaults of the service times are those of results/scale.md on its busy disk."""
import argparse
import heapq
import json
import math
import random
from dataclasses import dataclass, replace

TOGETHER = 64       # MAX_MESSAGES of queue.c
WORTH_A_SYNC = 1.0  # seconds of training, seconds_worth_a_sync of results.c


@dataclass(frozen=True)
class Service:
    """Times in seconds. For a message they are the coordinator's time for each kind (`finished` includes the sync of the report)
    and the time to receive and answer it (`message`)."""
    ask: float = 1.4e-6
    epoch: float = 278e-6
    finished: float = 6.94e-3
    message: float = 345e-6
    sync: float = 2.94e-3       # of the journal
    sleep: float = 300e-6       # the service thread's, and a rank's between two looks
    begin: float = 0.0         # what a rank takes for a trial beside its epochs


NOTHING = Service(*[0.0] * 7)


def lengths_of(trials, mean, sigma, seed=1):
    """Log-normal lengths: most are short, some are very long."""
    draw = random.Random(seed)
    return [mean * math.exp(sigma * draw.gauss(0, 1) - sigma * sigma / 2) for _ in range(trials)]


@dataclass
class Outcome:
    makespan: float
    training: float     # seconds of all ranks together
    takers: int
    busy: float         # rank 0's, share of the makespan
    messages: int
    waits: list         # of the ranks for each answer, unsorted

    @property
    def utilisation(self):
        return self.training / (self.takers * self.makespan)


class Sweep:
    """An arrival of a message is (time, rank). next_message[rank] is what the rank sends next: 0 asks for a trial, 1..epochs
    reports that epoch, epochs + 1 reports the end; -1: the rank has finished."""

    def __init__(self, ranks, lengths, epochs, service, root_trains=False):
        self.service, self.epochs = service, epochs
        self.lengths = sorted(lengths, reverse=True)
        self.next_trial = 0
        self.root = 0 if root_trains else -1    # rank 0 calls the coordinator itself
        self.takers = ranks if root_trains else ranks - 1
        first = 0 if root_trains else 1
        self.next_message, self.step = [0] * ranks, [0.0] * ranks
        self.arrivals = [(0.0, r) for r in range(first, first + self.takers)]
        self.at_risk = self.busy = 0.0
        self.messages, self.waits = 0, []

    def handle(self, rank):
        """Handles the rank's message and returns the coordinator's seconds; sets what the rank sends next."""
        kind, s = self.next_message[rank], self.service
        self.messages += 1
        if kind == 0:
            if self.next_trial == len(self.lengths):
                self.next_message[rank] = -1
                return s.ask
            self.step[rank] = self.lengths[self.next_trial] / max(self.epochs, 1)
            self.next_trial += 1
            self.next_message[rank] = 1
            return s.ask
        if kind <= self.epochs:
            self.next_message[rank] = kind + 1
            self.at_risk += self.step[rank]
            return s.epoch
        self.next_message[rank] = 0
        self.at_risk += self.step[rank] * max(self.epochs, 1)
        return s.finished

    def sync(self):
        if self.at_risk < WORTH_A_SYNC:
            return 0.0
        self.at_risk = 0.0
        return self.service.sync

    def go_on(self, rank, sent, answered):
        """The rank sees its answer at its next look, and trains until it speaks again."""
        sleep = 0.0 if rank == self.root else self.service.sleep
        seen = sent + math.ceil((answered - sent) / sleep) * sleep if sleep > 0 else answered
        self.waits.append(seen - sent)
        message = self.next_message[rank]
        if message < 0:
            return
        trains = 1 <= message <= max(self.epochs, 1)
        work = (self.step[rank] if trains else 0.0) + (self.service.begin if message == 1 else 0.0)
        heapq.heappush(self.arrivals, (seen + work, rank))

    def serve(self, now):
        """One turn from `now`: handles and answers all messages that wait; returns the time when that is done."""
        arrivals, batch, clock, own = self.arrivals, [], now, self.service.message
        while arrivals and arrivals[0][0] <= clock and len(batch) < TOGETHER:
            sent, rank = heapq.heappop(arrivals)
            clock += self.handle(rank) + (0.0 if rank == self.root else own)
            batch.append((sent, rank))
            if rank == self.root:
                break
        clock += self.sync()
        self.busy += clock - now
        for sent, rank in batch:
            self.go_on(rank, sent, clock)
        return clock

    def run(self):
        free = 0.0  # when the service thread looks next for messages
        while self.arrivals:
            sent, rank = self.arrivals[0]
            start = free
            if sent > free:     # it sleeps in between, but rank 0 itself waits for no sleep
                sleep = self.service.sleep if rank != self.root else 0.0
                start = free + math.ceil((sent - free) / sleep) * sleep if sleep > 0 else sent
            free = self.serve(max(start, sent))
        return Outcome(free, sum(self.lengths), self.takers, self.busy / free if free else 0.0, self.messages, self.waits)


def simulate(ranks, lengths, epochs, service, root_trains=False):
    return Sweep(ranks, lengths, epochs, service, root_trains).run()


def seconds_a_trial(service, epochs, mean, together=TOGETHER):
    """Rank 0's time for each trial when it is never idle and full batches share their syncs."""
    messages = epochs + 2
    worth = min(1.0, 2 * mean * together / messages / WORTH_A_SYNC)  # syncs a batch
    return (service.ask + epochs * service.epoch + service.finished + messages * service.message +
            messages * service.sync * worth / together)


def most_ranks(service, epochs, mean):
    """The number of ranks, from a formula, that keeps rank 0 always busy; with more ranks, rank 0 is the limit."""
    return (mean + service.begin) / seconds_a_trial(service, epochs, mean)


def quantile(values, part):
    ordered = sorted(values)
    return ordered[int(part * (len(ordered) - 1))] if ordered else 0.0


def print_curve(args, service):
    print("| ranks | mean trial, s | makespan, s | utilisation | with rank 0 at once | rank 0 busy | its limit, ranks "
          "| wait p99, ms |\n|---|---|---|---|---|---|---|---|")
    for mean in args.mean:
        lengths = lengths_of(args.trials, mean, args.sigma)
        for ranks in args.ranks:
            got = simulate(ranks, lengths, args.epochs, service, args.root_trains)
            ideal = simulate(ranks, lengths, 0, replace(NOTHING, begin=service.begin), args.root_trains)
            print(f"| {ranks} | {mean:g} | {got.makespan:.1f} | {got.utilisation:.3f} | {ideal.utilisation:.3f} "
                  f"| {got.busy:.3f} | {most_ranks(service, args.epochs, mean):.0f} "
                  f"| {quantile(got.waits, 0.99) * 1e3:.1f} |", flush=True)


def numbers(kind):
    return lambda text: [kind(part) for part in text.split(",")]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--ranks", type=numbers(int), default=[64, 256, 1024, 4096, 16384, 65536])
    parser.add_argument("--trials", type=int, default=100000)
    parser.add_argument("--mean", type=numbers(float), default=[1, 10, 60, 600])
    parser.add_argument("--sigma", type=float, default=1.0, help="of the log-normal lengths; 0: all equal")
    parser.add_argument("--epochs", type=int, default=10, help="epochs of a trial")
    parser.add_argument("--root-trains", action="store_true", help="rank 0 takes trials too")
    parser.add_argument("--service", help="JSON file with other service times, in seconds, by the names of Service")
    args = parser.parse_args()
    service = Service(**json.load(open(args.service))) if args.service else Service()
    print_curve(args, service)


if __name__ == "__main__":
    main()
