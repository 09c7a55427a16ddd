/* What is made of one image in one epoch: what augmentation decided (augment.h), in the words of whoever does it. */
#ifndef CNNSWEEP_PICTURE_H
#define CNNSWEEP_PICTURE_H

#include <stdbool.h>

typedef struct cs_picture {
    bool horizontal_flip, vertical_flip;
    float brightness; /* pixel = trunc(min(255, pixel*brightness)); 1: none */
} cs_picture;

#endif
