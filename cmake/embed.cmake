# SPDX-License-Identifier: Apache-2.0
# cmake -DINPUT=FILE -DNAME=IDENTIFIER -DOUTPUT=FILE.c -P embed.cmake: makes a C file that defines the text of a file as
# `const char IDENTIFIER[]`, with a 0 at its end.
file(READ ${INPUT} bytes HEX)
string(REGEX REPLACE "(..)" "0x\\1," bytes "${bytes}")
string(REGEX REPLACE "(................................................................................)" "\\1\n" bytes "${bytes}")
get_filename_component(input ${INPUT} NAME)
file(WRITE ${OUTPUT} "/* Made from ${input}. */\nextern const char ${NAME}[];\nconst char ${NAME}[] = {\n${bytes}0};\n")
