/* SPDX-License-Identifier: Apache-2.0 */
/* What the system lets this process use: a batch system or a container gives it a part of the machine. */
#ifndef CNNSWEEP_RESOURCES_H
#define CNNSWEEP_RESOURCES_H

#include <stddef.h>

/* The smallest limit of memory, in bytes, that the process's control group and its parents have; -1: there is none. A
 * batch system kills a program that takes more. `root` is "", or the folder in which a test has made /proc and /sys. */
double cs_memory_limit(const char *root);
/* The same for processor time, in cores: 1.5 is 1.5 seconds of processor time a second. */
double cs_processor_limit(const char *root);
/* The number of threads that can run at the same time: the cores that the process may run on, but not more than the
 * limit of processor time, rounded up. At least 1. */
int cs_usable_cores(const char *root);

/* The name of this host; "" if it is not known. */
void cs_host_name(char *out, size_t size);
/* Describes the machine for people: "node17, 64 cores, AMD EPYC 7763 64-Core Processor"; what is not known is left
 * out. */
void cs_machine_text(char *out, size_t size);

#endif
