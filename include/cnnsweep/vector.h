/* SPDX-License-Identifier: Apache-2.0 */
/* Functions whose loops compilers vectorise. */
#ifndef CNNSWEEP_VECTOR_H
#define CNNSWEEP_VECTOR_H

#include <stdint.h> /* defines __GLIBC__ where it is the C library */

/* In front of a function: compilers that can do so compile it for several vector widths of processors, and the program
 * chooses one when it starts. (Clang before 17 gives such functions names that other files do not find.) The results
 * are the same to the bit, because no file with such functions is compiled so that products and sums may be contracted.
 */
#if defined(__x86_64__) && defined(__GNUC__) && defined(__GLIBC__) && !defined(__clang__) && __GNUC__ >= 12
#define CS_VECTOR __attribute__((target_clones("arch=x86-64-v4", "avx2", "default")))
#elif defined(__x86_64__) && defined(__GNUC__) && defined(__GLIBC__) && !defined(__clang__)
#define CS_VECTOR __attribute__((target_clones("avx2", "default")))
#else
#define CS_VECTOR
#endif

#endif
