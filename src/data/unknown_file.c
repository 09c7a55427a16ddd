/* SPDX-License-Identifier: Apache-2.0 */
/* Files that are not read as images but are recognised, so that the error can name them. */
#include "codec.h"

#include "cnnsweep/file.h"

#include <string.h>

#define CONVERT "convert it to PNG or JPEG"
#define UNPACK  "unpack it"

/* By the bytes at an offset of the file. The first row that fits counts. */
static const struct {
    const char *kind; /* with its article */
    size_t at, size;
    const char *bytes, *hint;
} kinds[] = {
    {"a DICOM image", 128, 4, "DICM",
     "convert it with dcm2pnm of DCMTK (dcmj2pnm for JPEG), or with pydicom, choosing the window of values"},
    {"a NIfTI volume", 344, 4, "n+1\0", "write its slices as PNG, with nibabel or med2image"},
    {"a NIfTI header", 344, 4, "ni1\0", "write the slices of its volume as PNG, with nibabel or med2image"},
    {"a NIfTI volume", 4, 4, "n+2\0", "write its slices as PNG, with nibabel or med2image"},
    {"a HEIC image", 4, 7, "ftyphei", "convert it to JPEG with heif-convert; the telephone's settings offer JPEG"},
    {"a HEIC image", 4, 7, "ftyphev", "convert it to JPEG with heif-convert; the telephone's settings offer JPEG"},
    {"a HEIF image", 4, 8, "ftypmif1", "convert it to JPEG with heif-convert"},
    {"an AVIF image", 4, 7, "ftypavi", "convert it to PNG with avifdec"},
    {"a video", 4, 4, "ftyp", "write its frames as images with ffmpeg"},
    {"a JPEG 2000 image", 4, 4, "jP  ", CONVERT},
    {"a JPEG 2000 image", 0, 4, "\xFF\x4F\xFF\x51", CONVERT},
    {"a JPEG XL image", 0, 2, "\xFF\x0A", CONVERT},
    {"a JPEG XL image", 4, 4, "JXL ", CONVERT},
    {"a Photoshop image", 0, 4, "8BPS", CONVERT},
    {"a ZIP archive", 0, 4, "PK\3\4", UNPACK},
    {"gzip data", 0, 2, "\x1F\x8B", "unpack it; if it is a NIfTI volume, write its slices as PNG"},
    {"a RAR archive", 0, 4, "Rar!", UNPACK},
    {"a 7z archive", 0, 4, "7z\xBC\xAF", UNPACK},
    {"a PDF document", 0, 4, "%PDF", "pdfimages writes its images"},
    {"an HDF5 file", 0, 4, "\x89HDF", "write its images as PNG"},
    {"a NumPy array", 0, 6, "\x93NUMPY", "write it as PNG"},
    {"an SVG drawing", 0, 4, "<svg", CONVERT},
    {"an XML file", 0, 5, "<?xml", "an SVG drawing must be converted to PNG"},
};

static cs_status fail_kind(const char *name, const char *kind, const char *hint) {
    return cs_hint(cs_fail(CS_ERR_FORMAT, "%s: this is %s", name, kind), "%s", hint);
}

cs_status cs_fail_unknown(const char *name, const uint8_t *bytes, size_t size, const char *formats) {
    if (size == 0)
        return cs_fail(CS_ERR_FORMAT, "%s: the file is empty", name);
    CS_TRY(cs_refuse_stand_in(name, bytes, size));
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (size >= kinds[i].at + kinds[i].size && memcmp(bytes + kinds[i].at, kinds[i].bytes, kinds[i].size) == 0)
            return fail_kind(name, kinds[i].kind, kinds[i].hint);
    return cs_hint(cs_fail(CS_ERR_FORMAT, "%s: not an image", name), "%s are read", formats);
}
